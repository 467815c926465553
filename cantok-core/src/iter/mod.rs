//! Iterators that stop when a token is cancelled.

mod ext;
mod gate;
mod try_with_token;
mod with_token;

pub use ext::IteratorTokenExt;
pub use try_with_token::TryWithToken;
pub use with_token::WithToken;
