use crate::Cancelled;
#[cfg(not(loom))]
use crate::TokioToken;
use cantok_core::Token;

/// `cancelled` and `to_tokio` for [`Token`], which every token dereferences to.
pub trait TokenExt {
    /// The token.
    fn as_token(&self) -> &Token;

    /// A future that is ready when the token is cancelled, with the cause. See [`Cancelled`] for what it guarantees.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::{SimpleToken, TimeoutToken};
    /// use cantok_tokio::prelude::*;
    /// use std::time::Duration;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let token = SimpleToken::new() + TimeoutToken::new(Duration::from_millis(5));
    /// tokio::select! {
    ///     error = token.cancelled() => {
    ///         assert_eq!(error.to_string(), "the timeout of 5ms has expired");
    ///     }
    ///     _ = std::future::pending::<()>() => unreachable!(),
    /// }
    /// # }
    /// ```
    fn cancelled(&self) -> Cancelled<&Token> {
        Cancelled::new(self.as_token())
    }

    /// [`cancelled`](TokenExt::cancelled) with a handle to the token in it: for a future that is to be returned, stored
    /// or spawned.
    ///
    /// # Examples
    ///
    /// Servers take a future without an output, as axum does in `with_graceful_shutdown`:
    ///
    /// ```
    /// use cantok_core::SimpleToken;
    /// use cantok_tokio::prelude::*;
    ///
    /// async fn serve_until(stop: impl Future<Output = ()> + Send + 'static) {
    ///     stop.await;
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let shutdown = SimpleToken::new();
    /// let cancelled = shutdown.cancelled_owned();
    /// shutdown.cancel();
    /// serve_until(async { drop(cancelled.await) }).await;
    /// # }
    /// ```
    fn cancelled_owned(&self) -> Cancelled {
        Cancelled::new(self.as_token().clone())
    }

    /// A token of tokio-util that is cancelled with this one, for as long as the result, or a clone of it, lives. See
    /// [`TokioToken`] for what it guarantees.
    ///
    /// # Panics
    ///
    /// If the token has a deadline or a condition and the operating system refuses the thread that watches over it,
    /// as [`Token::subscribe`].
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::SimpleToken;
    /// use cantok_tokio::prelude::*;
    /// use tokio_util::sync::CancellationToken;
    ///
    /// async fn library(token: CancellationToken) {
    ///     token.cancelled().await;
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let token = SimpleToken::new();
    /// let bridge = token.to_tokio();
    /// let call = library(bridge.child_token());
    /// token.cancel();
    /// call.await;
    /// # }
    /// ```
    #[cfg(not(loom))]
    fn to_tokio(&self) -> TokioToken {
        TokioToken::new(self.as_token())
    }
}

impl TokenExt for Token {
    fn as_token(&self) -> &Token {
        self
    }
}
