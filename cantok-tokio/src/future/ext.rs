use super::WithToken;
use cantok_core::Token;
use std::future::Future;

/// `with_token` for every future.
pub trait FutureTokenExt: Future + Sized {
    /// Runs this future until it is ready or the token is cancelled, whatever comes first. See [`WithToken`] for what
    /// it guarantees.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::{CancellationError, SimpleToken, TimeoutToken};
    /// use cantok_tokio::prelude::*;
    /// use std::time::Duration;
    /// use tokio::time::sleep;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let shutdown = SimpleToken::new();
    /// let token = &shutdown + TimeoutToken::new(Duration::from_secs(60));
    ///
    /// let answer = async { 42 }.with_token(&token).await;
    /// assert_eq!(answer, Ok(42));
    ///
    /// shutdown.cancel();
    /// let late: Result<(), CancellationError> =
    ///     sleep(Duration::from_secs(60)).with_token(&token).await;
    /// assert!(late.unwrap_err().is_from(&shutdown));
    /// # }
    /// ```
    fn with_token(self, token: impl Into<Token>) -> WithToken<Self> {
        WithToken::new(self, token.into())
    }
}

impl<F: Future> FutureTokenExt for F {}
