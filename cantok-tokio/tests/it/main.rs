//! The tests that need no process of their own.

mod auto_traits;
mod bridges;
mod current;
mod io;
mod paused_clock;
mod rayon_tasks;
mod stress;
#[path = "../support/mod.rs"]
mod support;
mod task_groups;
mod tasks;
mod threads_refused;
mod tokio_util_behaviour;
