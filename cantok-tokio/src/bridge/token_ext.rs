use super::TokioToken;
use cantok_core::Token;

/// Adds `to_tokio` to [`Token`], and so to every token. Needs the feature `tokio-util`.
pub trait TokenExt {
    /// Returns a token of tokio-util that is cancelled with this one, as long as the result or a clone of it lives.
    ///
    /// [`TokioToken`] lists the guarantees. Keep it for as long as the library uses its token: a clone or a child of
    /// the `CancellationToken` inside does not keep the bridge. For a library that takes a `CancellationToken` by
    /// value, pass `bridge.child_token()`, as here, or [`detach`](TokioToken::detach) the bridge.
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
    ///
    /// # Panics
    ///
    /// If the token has a deadline or a condition and the operating system refuses a thread for it, as
    /// [`TokenAdapterExt::register`](cantok_core::adapter::TokenAdapterExt::register).
    fn to_tokio(&self) -> TokioToken;
}

impl TokenExt for Token {
    fn to_tokio(&self) -> TokioToken {
        TokioToken::new(self)
    }
}
