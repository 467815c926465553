use super::WithToken;
use cantok_core::Token;
use futures_io::AsyncRead;

/// Adds `with_token` to readers, including types that also write.
pub trait AsyncReadTokenExt: AsyncRead + Sized {
    /// Returns a wrapper whose operations fail once the token is cancelled. It covers the writes of a socket or a file,
    /// too. [`WithToken`] lists the guarantees.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::SimpleToken;
    /// use cantok_futures::prelude::*;
    /// use futures::io::{AsyncReadExt, Cursor};
    ///
    /// # pollster::block_on(async {
    /// let token = SimpleToken::new();
    /// let mut reader = Cursor::new("cantok").with_token(&token);
    /// let mut start = [0; 3];
    /// reader.read_exact(&mut start).await.unwrap();
    /// assert_eq!(&start, b"can");
    ///
    /// token.cancel_with("enough");
    /// let error = reader.read_exact(&mut start).await.unwrap_err();
    /// assert_eq!(error.to_string(), "cancelled: enough");
    /// # });
    /// ```
    fn with_token(self, token: impl Into<Token>) -> WithToken<Self> {
        WithToken::new(self, token)
    }
}

impl<R: AsyncRead> AsyncReadTokenExt for R {}
