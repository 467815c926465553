//! Threads that end together.

mod err;
mod jobs;
mod scope;

pub use err::ScopeError;
pub use scope::{Scope, scope};
