//! Streams that end when a token is cancelled.

mod ext;
mod try_with_token;
mod with_token;

pub use ext::StreamTokenExt;
pub use try_with_token::TryWithToken;
pub use with_token::WithToken;
