use crate::cancel_on_wake::token_of;
use cantok_core::Token;
use tokio_util::sync::CancellationToken;

/// Adds `to_cantok` to tokio-util's token. Needs the feature `tokio-util`.
pub trait CancellationTokenExt {
    /// Returns a cantok token that is cancelled with this one of tokio-util.
    ///
    /// # Guarantees
    ///
    /// - Each call returns a new token, which you can add, name and cancel like any other. Cancelling it does not
    ///   cancel tokio-util's token. If that is already cancelled, so is this one from the start.
    /// - When the [`cancel`](CancellationToken::cancel) of tokio-util's token or of its parent returns, this one is
    ///   cancelled, and so is everything derived from it. Its callbacks have run on that thread; a panic goes to the
    ///   panic hook and no further. A concurrent second `cancel` may return sooner.
    /// - The cause is [`Cause::Cancelled`](cantok_core::Cause::Cancelled), as tokio-util's tokens have none.
    /// - The bridge ends with the last handle of the token and of everything derived from it. Until then it keeps
    ///   tokio-util's token alive.
    ///
    /// # Limits
    ///
    /// A chain of bridges there and back is cancelled by nested calls: see [`TokioToken`](crate::TokioToken). If
    /// another waker panics in tokio-util's `cancel`, tokio-util wakes no further ones, bridges included.
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
    ///
    /// # Cost
    ///
    /// One waiter of tokio-util's token. No runtime and no task is needed.
    #[must_use = "the bridge ends when this is dropped"]
    fn to_cantok(&self) -> Token;
}

impl CancellationTokenExt for CancellationToken {
    fn to_cantok(&self) -> Token {
        token_of(self.clone().cancelled_owned(), |token| {
            token.cancel();
        })
    }
}
