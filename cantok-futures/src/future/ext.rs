use super::WithToken;
use cantok_core::Token;
use std::future::Future;

/// Adds `with_token` to every future.
pub trait FutureTokenExt: Future + Sized {
    /// Returns a future that ends when this one is ready or the token is cancelled. [`WithToken`] lists the guarantees.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::{CancellationError, SimpleToken, TimeoutToken};
    /// use cantok_futures::prelude::*;
    /// use std::future::pending;
    /// use std::time::Duration;
    ///
    /// # pollster::block_on(async {
    /// let shutdown = SimpleToken::new();
    /// let token = &shutdown + TimeoutToken::new(Duration::from_secs(60));
    ///
    /// let answer = async { 42 }.with_token(&token).await;
    /// assert_eq!(answer, Ok(42));
    ///
    /// shutdown.cancel();
    /// let late: Result<(), CancellationError> = pending().with_token(&token).await;
    /// assert!(late.unwrap_err().is_from(&shutdown));
    /// # });
    /// ```
    fn with_token(self, token: impl Into<Token>) -> WithToken<Self> {
        WithToken::new(self, token.into())
    }
}

impl<F: Future> FutureTokenExt for F {}
