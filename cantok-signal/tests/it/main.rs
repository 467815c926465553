//! Tests that start a process for each thing that signals do, and tests that send none.

mod bad_input;
mod children;
mod composes;
mod default_is_back;
mod descriptors_refused;
mod earlier_signals;
mod errno;
mod exit_on;
mod first_process;
mod first_signal;
mod flat;
mod ignored;
mod libraries;
mod neighbours;
mod never_deaf;
mod panics;
mod portable;
mod repeated;
mod replaced;
mod second_on;
mod signal_type;
mod storm;
#[cfg(unix)]
#[path = "../support/mod.rs"]
mod support;
mod terminal;
mod threads_refused;
