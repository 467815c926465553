//! Cancellation tokens that compose: pass a token to long-running code, which checks it and stops once it is cancelled.
//!
//! This crate has no code of its own. It re-exports the crates of the family, so that a program adds one dependency and
//! chooses features; a library depends on the crates that it needs. Without features it is [`cantok_core`], which needs
//! the standard library alone.
//!
//! ```
//! use cantok::{CounterToken, SimpleToken, TimeoutToken, Token};
//! use std::time::Duration;
//!
//! fn count(token: &Token) -> u64 {
//!     let mut count = 0;
//!     while token.keep_on() {
//!         count += 1;
//!     }
//!     count
//! }
//!
//! let token = SimpleToken::new() + CounterToken::new(1_000) + TimeoutToken::new(Duration::from_secs(60));
//! assert_eq!(count(&token), 1_000);
//! assert_eq!(token.cancellation().unwrap().to_string(), "the counter of 1000 checks is used up");
//! ```
//!
//! # Features
//!
//! | feature | module | crate |
//! |---|---|---|
//! | `channel` | `cantok::channel` | [cantok-channel](https://docs.rs/cantok-channel) |
//! | `futures` | `cantok::futures` | [cantok-futures](https://docs.rs/cantok-futures), with `io` and `sink` |
//! | `process` | `cantok::process` | [cantok-process](https://docs.rs/cantok-process); with `tokio`, its commands too |
//! | `rayon` | `cantok::rayon` | [cantok-rayon](https://docs.rs/cantok-rayon) |
//! | `signal` | `cantok::signal` | [cantok-signal](https://docs.rs/cantok-signal) |
//! | `tokio` | `cantok::tokio` | [cantok-tokio](https://docs.rs/cantok-tokio) |
//! | `tower` | `cantok::tower` | [cantok-tower](https://docs.rs/cantok-tower), without its extractors for axum and tonic |
//!
//! `tracing` adds the events of all of them. `full` is everything. There are no default features. Further features,
//! such as that of the bridges to tokio-util, belong to the crates themselves: add such a crate as a dependency beside
//! this one.

#![forbid(unsafe_code)]
// docs.rs sets `docsrs`, and marks what needs a feature.
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod prelude;

#[cfg(feature = "channel")]
pub use cantok_channel as channel;
pub use cantok_core::*;
#[cfg(feature = "futures")]
pub use cantok_futures as futures;
#[cfg(feature = "process")]
pub use cantok_process as process;
#[cfg(feature = "rayon")]
pub use cantok_rayon as rayon;
#[cfg(feature = "signal")]
pub use cantok_signal as signal;
#[cfg(feature = "tokio")]
pub use cantok_tokio as tokio;
#[cfg(feature = "tower")]
pub use cantok_tower as tower;
