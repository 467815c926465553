//! Readers and writers that fail once a token is cancelled.
//!
//! [`WithToken`] implements what the inner type does: [`Read`](std::io::Read), [`BufRead`](std::io::BufRead),
//! [`Write`](std::io::Write), [`Seek`](std::io::Seek). Make one in one of three ways:
//!
//! - `reader.with_token(&token)`, with [`ReadTokenExt`], which is in the prelude;
//! - `writer.with_token(&token)`, with [`WriteTokenExt`], for types that only write. It is not in the prelude: a file
//!   or a socket reads and writes, and with both traits in scope the call would be ambiguous;
//! - [`WithToken::new`], for any type.

mod read_ext;
mod with_token;
mod write_ext;

pub use read_ext::ReadTokenExt;
pub use with_token::WithToken;
pub use write_ext::WriteTokenExt;
