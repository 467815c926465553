use super::token_of;
use cantok_core::Token;
use tokio_util::sync::CancellationToken;

/// `to_cantok` for tokio-util's token.
pub trait CancellationTokenExt {
    /// The token of tokio-util.
    fn as_cancellation_token(&self) -> &CancellationToken;

    /// A token that is cancelled with this one of tokio-util: for synchronous code that takes one of ours.
    ///
    /// # Guarantees
    ///
    /// It is a new token each time, that can be summed, named and cancelled like any other. When a
    /// [`cancel`](CancellationToken::cancel) of tokio-util's token, or of one that it is a child of, returns, this one
    /// is cancelled, and what is derived from it; its callbacks have run, on that thread, where a panic goes to the
    /// panic hook and no further. Cancelling it leaves tokio-util's token alone.
    ///
    /// The bridge ends with the token and everything derived from it. Until then it keeps a handle to tokio-util's
    /// token. It needs no runtime and no task; making it takes some allocations.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::{TimeoutToken, Token};
    /// use cantok_tokio::prelude::*;
    /// use std::time::Duration;
    /// use tokio_util::sync::CancellationToken;
    ///
    /// fn work(token: &Token) -> u64 {
    ///     let mut steps = 0;
    ///     while token.keep_on() {
    ///         steps += 1;
    ///     }
    ///     steps
    /// }
    ///
    /// let shutdown = CancellationToken::new();
    /// let token = shutdown.to_cantok() + TimeoutToken::new(Duration::from_secs(60));
    /// shutdown.cancel();
    /// assert_eq!(work(&token), 0);
    /// ```
    fn to_cantok(&self) -> Token {
        let source = self.as_cancellation_token().clone();
        token_of(source.cancelled_owned(), |token| {
            token.cancel();
        })
    }
}

impl CancellationTokenExt for CancellationToken {
    fn as_cancellation_token(&self) -> &CancellationToken {
        self
    }
}
