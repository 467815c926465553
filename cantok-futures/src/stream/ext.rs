use super::{TryWithToken, WithToken};
use cantok_core::Token;
use futures_core::Stream;

/// Adds `with_token` and `try_with_token` to every stream.
pub trait StreamTokenExt: Stream + Sized {
    /// Returns a stream that ends quietly when the token is cancelled.
    ///
    /// A stopped stream looks finished. To find out, call [`Token::cancellation`] afterwards or use
    /// [`try_with_token`](StreamTokenExt::try_with_token). [`TryWithToken`] lists the guarantees of both.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::CounterToken;
    /// use cantok_futures::prelude::*;
    /// use futures::stream::{self, StreamExt};
    ///
    /// # pollster::block_on(async {
    /// let token = CounterToken::new(3);
    /// let some: Vec<u32> = stream::iter(1..=10).with_token(&token).collect().await;
    /// assert_eq!(some, [1, 2, 3]);
    /// assert!(token.cancellation().is_some()); // the token stopped it
    /// # });
    /// ```
    fn with_token(self, token: impl Into<Token>) -> WithToken<Self> {
        WithToken::new(self.try_with_token(token))
    }

    /// Returns a stream of `Ok(item)` that yields one `Err` and then `None` when the token is cancelled.
    ///
    /// A partial result therefore cannot pass for a complete one. [`TryWithToken`] lists the guarantees.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::{CancellationError, CounterToken};
    /// use cantok_futures::prelude::*;
    /// use futures::stream::{self, TryStreamExt};
    ///
    /// # pollster::block_on(async {
    /// let all: Result<Vec<u32>, CancellationError> =
    ///     stream::iter(1..=10).try_with_token(CounterToken::new(3)).try_collect().await;
    /// assert_eq!(all.unwrap_err().to_string(), "the counter of 3 checks is used up");
    /// # });
    /// ```
    fn try_with_token(self, token: impl Into<Token>) -> TryWithToken<Self> {
        TryWithToken::new(self, token.into())
    }
}

impl<S: Stream> StreamTokenExt for S {}
