use super::WithToken;
use crate::Token;
use std::io::Write;

/// `with_token` for every writer. Not in the prelude, since what reads as well has the method of
/// [`ReadTokenExt`](super::ReadTokenExt): name this trait where something only writes.
pub trait WriteTokenExt: Write + Sized {
    /// Has each call fail once the token is cancelled. [`WithToken`] says what is guaranteed.
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
