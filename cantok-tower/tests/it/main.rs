//! The tests that need no process of their own.

mod answers;
mod auto_traits;
mod bodies;
mod connections;
mod extractors;
mod headers;
mod propagates;
mod readiness;
mod requests;
mod streams;
#[path = "../support/mod.rs"]
mod support;
