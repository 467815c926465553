use super::TokioToken;
use cantok_core::Token;

/// `to_tokio` for [`Token`], which every token dereferences to. Needs the feature `tokio-util`.
pub trait TokenExt {
    /// The token.
    fn as_token(&self) -> &Token;

    /// A token of tokio-util that is cancelled with this one, as long as the result or a clone of it lives.
    /// [`TokioToken`] lists the guarantees.
    ///
    /// # Panics
    ///
    /// If the token has a deadline or a condition and the operating system refuses the thread for it, as
    /// [`TokenAdapterExt::register`](cantok_core::adapter::TokenAdapterExt::register).
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
    fn to_tokio(&self) -> TokioToken {
        TokioToken::new(self.as_token())
    }
}

impl TokenExt for Token {
    fn as_token(&self) -> &Token {
        self
    }
}
