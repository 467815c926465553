//! Readers and writers that fail once a token is cancelled.
//!
//! [`WithToken`] passes on whatever the wrapped type can do: [`Read`](std::io::Read), [`BufRead`](std::io::BufRead),
//! [`Write`](std::io::Write), [`Seek`](std::io::Seek). There are three ways to it:
//!
//! - `reader.with_token(&token)`, by [`ReadTokenExt`], which is in the prelude;
//! - `writer.with_token(&token)`, by [`WriteTokenExt`], for what only writes. It is not in the prelude: a file or a
//!   socket reads and writes, and with both traits at hand the compiler would not know which method is meant;
//! - [`WithToken::new`], for both.

mod read_ext;
mod with_token;
mod write_ext;

pub use read_ext::ReadTokenExt;
pub use with_token::WithToken;
pub use write_ext::WriteTokenExt;
