#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
// docs.rs sets `docsrs`, to mark items that need a feature.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod block_on;
pub mod future;
#[cfg(feature = "io")]
pub mod io;
#[cfg(doctest)]
mod must_not_compile;
pub mod prelude;
#[cfg(feature = "sink")]
pub mod sink;
pub mod stream;

pub use block_on::block_on_with_token;
pub use cantok_core::Cancelled;
pub use future::FutureTokenExt;
#[cfg(feature = "io")]
pub use io::{AsyncReadTokenExt, AsyncWriteTokenExt};
#[cfg(feature = "sink")]
pub use sink::SinkTokenExt;
pub use stream::StreamTokenExt;
