#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
// docs.rs sets `docsrs`, to mark items that need a feature.
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "tokio-util")]
mod bridge;
mod cancel_on_wake;
pub mod io;
#[cfg(all(doctest, feature = "tokio-util"))]
mod must_not_compile;
mod panic;
pub mod prelude;
mod task;
pub mod time;

#[cfg(feature = "tokio-util")]
pub use bridge::{CancellationTokenExt, TokenExt, TokioToken};
pub use cantok_futures::{
    Cancelled, FutureTokenExt, StreamTokenExt, block_on_with_token, future, stream,
};
#[cfg(feature = "sink")]
pub use cantok_futures::{SinkTokenExt, sink};
pub use io::{AsyncReadTokenExt, AsyncWriteTokenExt};
pub use task::{
    GroupError, Spawned, TaskGroup, spawn_blocking_with_token, spawn_local_with_token,
    spawn_with_token,
};
#[cfg(feature = "rayon")]
pub use task::{SpawnedRayon, ThreadPoolTokenExt, spawn_rayon_with_token};
