#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
// Models run without the timer and the executor, which are the only users of some functions.
#![cfg_attr(loom, allow(dead_code, unused_imports))]

mod callback;
mod cancelling;
mod cause;
mod compose;
mod error;
#[cfg_attr(loom, path = "loom/executor.rs")]
mod executor;
mod guard;
mod iter;
mod later;
mod leaves;
#[cfg(doctest)]
mod must_not_compile;
mod node;
mod parker;
pub mod prelude;
mod reason;
mod registration;
mod subscription;
mod sync;
#[cfg_attr(loom, path = "loom/timer.rs")]
mod timer;
mod token;
mod tokens;
#[cfg(feature = "tracing")]
mod trace;
mod wait;
mod weak;
#[cfg(not(loom))]
mod worker;

pub use cancelling::Cancelling;
pub use cause::Cause;
pub use error::CancellationError;
pub use guard::DropGuard;
pub use iter::{IteratorTokenExt, TryWithToken, WithToken};
pub use reason::Reason;
pub use registration::Registration;
pub use subscription::Subscription;
pub use token::Token;
pub use tokens::{
    ConditionToken, CounterToken, DefaultToken, ImpossibleCancelError, SimpleToken, TimeoutToken,
};
pub use weak::WeakToken;
