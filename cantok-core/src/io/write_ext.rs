use super::WithToken;
use crate::Token;
use std::io::Write;

/// Adds `with_token` to every writer.
///
/// It is not in the prelude, since types that also read have the method of [`ReadTokenExt`](super::ReadTokenExt).
/// Import this trait where a type only writes.
pub trait WriteTokenExt: Write + Sized {
    /// Makes every call fail once the token is cancelled. [`WithToken`] lists the guarantees.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::{SimpleToken, WriteTokenExt};
    /// use std::io::Write;
    ///
    /// let token = SimpleToken::new();
    /// let mut report = Vec::new().with_token(&token);
    /// writeln!(report, "the first line")?;
    /// token.cancel_with("the disk is nearly full");
    /// let error = writeln!(report, "the second line").unwrap_err();
    /// assert_eq!(error.to_string(), "cancelled: the disk is nearly full");
    /// assert_eq!(report.into_inner(), b"the first line\n");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    fn with_token(self, token: impl Into<Token>) -> WithToken<Self> {
        WithToken::new(self, token)
    }
}

impl<W: Write> WriteTokenExt for W {}
