//! The tests that need no process of their own.

mod auto_traits;
mod blocking;
mod checks;
mod conditions;
mod drops;
mod executors;
mod fused;
mod io;
mod model;
mod own_tree;
mod precedence;
mod sinks;
#[path = "../support/mod.rs"]
mod support;
mod wakes;
