#![cfg_attr(any(unix, windows), doc = include_str!("../README.md"))]
#![cfg_attr(
    not(any(unix, windows)),
    doc = "Empty on this system: the crate supports Unix and Windows."
)]
#![forbid(unsafe_code)]
#![cfg(any(unix, windows))]
// Models run without the process-wide registry, the only user of some functions.
#![cfg_attr(cantok_loom, allow(dead_code, unused_imports))]

mod action;
mod as_dyn_error;
mod builder;
mod dispositions;
#[cfg_attr(any(cantok_loom, all(test, unix)), path = "loom/hooks.rs")]
#[cfg_attr(all(unix, not(any(cantok_loom, test))), path = "hooks/unix.rs")]
#[cfg_attr(windows, path = "hooks/windows.rs")]
mod hooks;
#[cfg(all(not(cantok_loom), test, unix))]
mod model;
#[cfg(all(cantok_loom, test))]
#[path = "loom/models.rs"]
mod models;
#[cfg(doctest)]
mod must_not_compile;
#[cfg(not(cantok_loom))]
mod process;
mod registry;
mod second;
mod signal;
mod signals;
mod sync;
mod token;
#[cfg(feature = "tracing")]
mod trace;
#[cfg(all(test, unix))]
#[path = "loom/world.rs"]
mod world;

pub use as_dyn_error::AsDynError;
pub use builder::SignalTokenBuilder;
pub use second::SecondSignal;
pub use signal::Signal;
pub use token::SignalToken;
