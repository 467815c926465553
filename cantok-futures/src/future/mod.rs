//! Futures that end when a token is cancelled.

mod ext;
mod future_first;
mod with_token;

pub use ext::FutureTokenExt;
pub use future_first::FutureFirst;
pub use with_token::WithToken;
