//! The tests on Unix that need no process of their own.
#![cfg(unix)]

mod checks;
mod ends_children;
mod groups;
mod output;
#[path = "../support/peer.rs"]
mod peer;
mod spawned;
#[cfg(feature = "tokio")]
mod tokio;
