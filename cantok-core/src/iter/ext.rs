use crate::{Token, TryWithToken, WithToken};

/// Adds `with_token` and `try_with_token` to every iterator.
pub trait IteratorTokenExt: Iterator + Sized {
    /// Stops quietly when the token is cancelled: a stopped iterator looks finished.
    ///
    /// Call [`Token::cancellation`] afterwards to learn whether it was stopped, or use
    /// [`try_with_token`](IteratorTokenExt::try_with_token).
    ///
    /// The token is checked once before each item. If it is cancelled, the inner iterator is not advanced, so no item
    /// is lost. With a [`CounterToken`](crate::CounterToken) of `n` units exactly `n` items pass. If the inner iterator
    /// knows by its `size_hint` that no item is left, there is no further check; otherwise one more check spends a
    /// unit. With [`check_every`](WithToken::check_every) one check serves many items.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::prelude::*;
    /// use cantok_core::CounterToken;
    ///
    /// let budget = CounterToken::new(3);
    /// let some: Vec<_> = (1..=10).with_token(&budget).collect();
    /// assert_eq!(some, [1, 2, 3]);
    /// assert!(budget.cancellation().is_some());
    /// ```
    fn with_token(self, token: impl Into<Token>) -> WithToken<Self> {
        WithToken::new(self, token.into())
    }

    /// Yields `Ok(item)` until the token is cancelled, then one `Err` with the cause, then nothing.
    ///
    /// A partial result cannot pass for a complete one. Otherwise like [`with_token`](IteratorTokenExt::with_token).
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::prelude::*;
    /// use cantok_core::{CancellationError, CounterToken};
    ///
    /// let all: Result<Vec<_>, CancellationError> =
    ///     (1..=3).try_with_token(CounterToken::new(3)).collect();
    /// assert_eq!(all.unwrap(), [1, 2, 3]);
    ///
    /// let all: Result<Vec<_>, CancellationError> =
    ///     (1..=10).try_with_token(CounterToken::new(3)).collect();
    /// assert_eq!(all.unwrap_err().to_string(), "the counter of 3 checks is used up");
    /// ```
    fn try_with_token(self, token: impl Into<Token>) -> TryWithToken<Self> {
        TryWithToken::new(self, token.into())
    }
}

impl<I: Iterator> IteratorTokenExt for I {}
