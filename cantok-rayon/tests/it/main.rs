//! The tests that need no process of their own.

mod auto_traits;
mod check_every;
mod collect_vec;
mod counts_exactly;
mod current;
mod jobs;
mod model;
mod panics;
mod plumbing;
#[path = "../support/pools.rs"]
mod pools;
mod progress;
mod reaches_below;
#[path = "../support/stops.rs"]
mod stops;
mod stops_early;
mod terminals;
mod try_terminals;
mod work_stealing;
