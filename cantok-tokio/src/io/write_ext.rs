use super::WithToken;
use cantok_core::Token;
use tokio::io::AsyncWrite;

/// Adds `with_token` to types that only write. Not in the [prelude](crate::prelude): a socket has the method from
/// [`AsyncReadTokenExt`](super::AsyncReadTokenExt), and both traits together would be ambiguous.
pub trait AsyncWriteTokenExt: AsyncWrite + Sized {
    /// Returns a wrapper whose operations fail once the token is cancelled. [`WithToken`] lists the guarantees.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::SimpleToken;
    /// use cantok_tokio::AsyncWriteTokenExt as _;
    /// use tokio::io::AsyncWriteExt;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let token = SimpleToken::new();
    /// let mut writer = tokio::io::sink().with_token(&token);
    /// writer.write_all(b"first").await.unwrap();
    /// token.cancel();
    /// assert!(writer.write_all(b"second").await.is_err());
    /// # }
    /// ```
    fn with_token(self, token: impl Into<Token>) -> WithToken<Self> {
        WithToken::new(self, token)
    }
}

impl<W: AsyncWrite> AsyncWriteTokenExt for W {}
