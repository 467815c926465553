//! Sinks that fail once a token is cancelled. Needs the feature `sink`.

mod error;
mod ext;
mod with_token;

pub use error::SinkTokenError;
pub use ext::SinkTokenExt;
pub use with_token::WithToken;
