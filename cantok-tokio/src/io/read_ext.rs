use super::WithToken;
use cantok_core::Token;
use tokio::io::AsyncRead;

/// Adds `with_token` to readers, including types that also write.
pub trait AsyncReadTokenExt: AsyncRead + Sized {
    /// Returns a wrapper whose operations fail once the token is cancelled. It covers the writes of a socket or a file,
    /// too. [`WithToken`] lists the guarantees.
    ///
    /// # Examples
    ///
    /// A peer that sends nothing:
    ///
    /// ```
    /// use cantok_core::TimeoutToken;
    /// use cantok_tokio::prelude::*;
    /// use std::io::ErrorKind;
    /// use std::time::Duration;
    /// use tokio::io::AsyncReadExt;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (_peer, stream) = tokio::io::duplex(64);
    /// let mut stream = stream.with_token(TimeoutToken::new(Duration::from_millis(5)));
    /// let error = stream.read_u8().await.unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::TimedOut);
    /// assert_eq!(error.to_string(), "the timeout of 5ms has expired");
    /// # }
    /// ```
    fn with_token(self, token: impl Into<Token>) -> WithToken<Self> {
        WithToken::new(self, token)
    }
}

impl<R: AsyncRead> AsyncReadTokenExt for R {}
