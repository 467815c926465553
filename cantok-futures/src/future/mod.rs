//! Futures that end when a token is cancelled.

mod ext;
mod with_token;

pub use ext::FutureTokenExt;
pub use with_token::WithToken;
