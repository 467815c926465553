#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
// docs.rs sets `docsrs`, and marks what needs a feature.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod bridge;
mod cause;
pub mod future;
#[cfg(doctest)]
mod must_not_compile;
mod panic;
pub mod prelude;
pub mod stream;
mod task;
pub mod time;
mod token_ext;
#[cfg(feature = "tracing")]
mod trace;

pub use bridge::{CancellationTokenExt, TokioToken};
pub use cantok_core::Cancelled;
pub use future::FutureTokenExt;
pub use stream::StreamTokenExt;
pub use task::{Spawned, spawn_blocking_with_token, spawn_local_with_token, spawn_with_token};
#[cfg(feature = "rayon")]
pub use task::{SpawnedRayon, ThreadPoolTokenExt, spawn_rayon_with_token};
pub use token_ext::TokenExt;
