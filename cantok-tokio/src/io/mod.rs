//! Readers and writers of tokio whose operations end when a token is cancelled.

mod read_ext;
mod with_token;
mod write_ext;

pub use read_ext::AsyncReadTokenExt;
pub use with_token::WithToken;
pub use write_ext::AsyncWriteTokenExt;
