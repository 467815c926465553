//! The tests that need no process of their own.

mod auto_traits;
mod cancelled;
mod counts_exactly;
mod errors;
mod model;
mod nothing_is_lost;
mod panics;
mod precedence;
#[path = "../support/mod.rs"]
mod support;
mod threads_refused;
mod views;
mod wakes;
