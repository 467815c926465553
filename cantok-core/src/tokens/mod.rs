//! The typed tokens: one file each, all of them thin handles.

#[macro_use]
mod handle;

mod condition;
mod counter;
mod default;
mod idle;
mod simple;
mod timeout;

pub use condition::ConditionToken;
pub use counter::CounterToken;
pub use default::{DefaultToken, ImpossibleCancelError};
pub use idle::IdleToken;
pub use simple::SimpleToken;
pub use timeout::TimeoutToken;
