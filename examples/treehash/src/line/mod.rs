//! Lines as `sha256sum` prints and reads them.

mod escape;
mod format;
mod parse;

pub(crate) use escape::escaped;
pub(crate) use format::{line, name};
pub(crate) use parse::{Line, is_start, parse};

/// A SHA-256.
pub(crate) type Digest = [u8; 32];
