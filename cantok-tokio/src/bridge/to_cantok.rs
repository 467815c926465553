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
    /// It is a new token each time, that can be summed, named and cancelled like any other. When the
    /// [`cancel`](CancellationToken::cancel) that cancels tokio-util's token, or one that it is a child of, returns,
    /// this one is cancelled, and what is derived from it; its callbacks have run, on that thread, where a panic goes
    /// to the panic hook and no further. (Another call at the same time, which finds it cancelled, may return sooner.)
    /// The cause is [`Cause::Cancelled`](cantok_core::Cause::Cancelled), since tokio-util's tokens know none.
    /// Cancelling this one leaves tokio-util's alone.
    ///
    /// The bridge ends with the token and everything derived from it. Until then it keeps a handle to tokio-util's
    /// token. It needs no runtime and no task; making it takes some allocations. A chain of bridges there and back
    /// again is cancelled by nested calls, so one of some thousand overflows the stack. If a waker of somebody else's
    /// panics in tokio-util's `cancel`, that wakes nobody else, bridges included.
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
    #[must_use = "the bridge ends when this is dropped"]
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
