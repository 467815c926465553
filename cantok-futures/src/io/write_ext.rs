use super::WithToken;
use cantok_core::Token;
use futures_io::AsyncWrite;

/// Adds `with_token` to types that only write. Not in the [prelude](crate::prelude): a socket has the method from
/// [`AsyncReadTokenExt`](super::AsyncReadTokenExt), and both traits together would be ambiguous.
pub trait AsyncWriteTokenExt: AsyncWrite + Sized {
    /// Returns a wrapper whose operations fail once the token is cancelled. [`WithToken`] lists the guarantees.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::CounterToken;
    /// use cantok_futures::AsyncWriteTokenExt as _;
    /// use futures::io::AsyncWriteExt;
    ///
    /// # pollster::block_on(async {
    /// let mut writer = futures::io::sink().with_token(CounterToken::new(1));
    /// writer.write_all(b"first").await.unwrap();
    /// assert!(writer.write_all(b"second").await.is_err());
    /// # });
    /// ```
    fn with_token(self, token: impl Into<Token>) -> WithToken<Self> {
        WithToken::new(self, token)
    }
}

impl<W: AsyncWrite> AsyncWriteTokenExt for W {}
