//! Threads that end together.

mod err;
mod jobs;
mod outcome;
mod scope;

pub use err::ScopeError;
pub use outcome::Outcome;
pub use scope::{Scope, scope};
