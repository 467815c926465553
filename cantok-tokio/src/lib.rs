#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
// docs.rs sets `docsrs`, and marks what needs a feature. Nothing in the documentation depends on `loom`.
#![cfg_attr(docsrs, feature(doc_cfg), doc(auto_cfg(hide(loom))))]

// Tokio does not build for loom's models: they are of what is left without it.
#[cfg(not(loom))]
mod bridge;
mod cause;
pub mod future;
#[cfg(all(loom, test))]
#[path = "loom/models.rs"]
mod models;
#[cfg(doctest)]
mod must_not_compile;
#[cfg(not(loom))]
mod panic;
pub mod prelude;
pub mod stream;
#[cfg(not(loom))]
mod task;
#[cfg(not(loom))]
pub mod time;
mod token_ext;
#[cfg(feature = "tracing")]
mod trace;

#[cfg(not(loom))]
pub use bridge::{CancellationTokenExt, TokioToken};
pub use cantok_core::Cancelled;
pub use future::FutureTokenExt;
pub use stream::StreamTokenExt;
#[cfg(not(loom))]
pub use task::{Spawned, spawn_blocking_with_token, spawn_local_with_token, spawn_with_token};
#[cfg(all(not(loom), feature = "rayon"))]
pub use task::{SpawnedRayon, ThreadPoolTokenExt, spawn_rayon_with_token};
pub use token_ext::TokenExt;
