#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
// Without the timer and the background threads, as in loom's models, some functions have no caller.
#![cfg_attr(cantok_loom, allow(dead_code, unused_imports))]

// First, so that a token's documentation begins with the methods from there.
mod token;

pub mod adapter;
#[cfg_attr(cantok_loom, path = "loom/background.rs")]
mod background;
mod cancelled;
mod cause;
mod clock;
mod condvar;
mod current;
mod delayed;
mod error;
mod guard;
pub mod io;
mod iter;
mod later;
mod leaves;
#[cfg(doctest)]
mod must_not_compile;
mod node;
mod operators;
mod panic;
mod parker;
pub mod prelude;
mod reason;
mod registration;
mod scoped;
mod slab;
#[cfg(feature = "enough")]
mod stop;
mod sync;
mod threads;
#[cfg_attr(cantok_loom, path = "loom/timer.rs")]
mod timer;
/// Only its own models use the timer under loom.
#[cfg(all(test, cantok_loom))]
#[path = "timer.rs"]
mod timer_models;
mod tokens;
mod touching;
#[cfg(feature = "tracing")]
mod trace;
mod wait;
#[cfg(any(not(cantok_loom), test))]
mod wheel;
#[cfg(any(not(cantok_loom), test))]
mod worker;

pub use cancelled::Cancelled;
pub use cause::Cause;
pub use condvar::CondvarTokenExt;
pub use error::CancellationError;
pub use guard::DropGuard;
pub use io::{ReadTokenExt, WriteTokenExt};
pub use iter::{IteratorTokenExt, TryWithToken, WithToken};
pub use reason::Reason;
pub use registration::Registration;
pub use scoped::{Outcome, Scope, ScopeError, scope};
pub use threads::start_threads;
pub use token::Token;
pub use tokens::{
    ConditionToken, CounterToken, DefaultToken, IdleToken, ImpossibleCancelError, SimpleToken,
    TimeoutToken,
};
pub use touching::Touching;
