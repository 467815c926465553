#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod cancel_on_panic;
mod ext;
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
mod with_token;

pub use cancel_on_panic::CancelOnPanic;
pub use ext::ParallelIteratorTokenExt;
pub use join::join;
pub use scope::{Scope, ScopeError, scope};
pub use spawn::{Spawned, spawn};
pub use try_with_token::TryWithToken;
pub use with_token::WithToken;
