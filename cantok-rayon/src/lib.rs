#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod blocks;
mod cancel_on_panic;
mod carry;
mod check_every;
mod ext;
mod gate;
mod join;
#[cfg(doctest)]
mod must_not_compile;
pub mod prelude;
mod run;
mod scope;
mod spawn;
#[cfg(feature = "tracing")]
mod trace;
mod try_with_token;
mod unindexed_ext;
mod with_token;

pub use cancel_on_panic::CancelOnPanic;
pub use check_every::CheckEvery;
pub use ext::ParallelIteratorTokenExt;
pub use join::join;
pub use scope::{Scope, ScopeError, scope};
pub use spawn::{JobHandle, spawn};
pub use try_with_token::TryWithToken;
pub use unindexed_ext::UnindexedTokenExt;
pub use with_token::WithToken;
