use crate::call::Call;
use crate::{SendTokenError, WithToken};
use cantok_core::Token;
use crossbeam_channel::Sender;
use std::borrow::{Borrow, Cow};
use std::sync::OnceLock;

/// `with_token` and `send_with_token` for crossbeam's senders, of whatever channel.
pub trait SenderTokenExt<T>: Borrow<Sender<T>> + Into<Sender<T>> {
    /// A view of this sender whose operations end when the token is cancelled. See [`WithToken`] for what they
    /// guarantee.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_channel::prelude::*;
    /// use cantok_core::CounterToken;
    /// use crossbeam_channel::unbounded;
    ///
    /// let (sender, receiver) = unbounded();
    /// let sender = sender.with_token_owned(CounterToken::new(3));
    /// let mut numbers = 0..;
    /// let unsent = loop {
    ///     if let Err(error) = sender.send(numbers.next().unwrap()) {
    ///         break error.into_inner();
    ///     }
    /// };
    /// assert_eq!(unsent, 3);
    /// assert!(receiver.try_iter().eq([0, 1, 2]));
    /// ```
    fn with_token(&self, token: impl Into<Token>) -> WithToken<'_, Sender<T>> {
        WithToken::new(Cow::Borrowed(self.borrow()), token.into())
    }

    /// [`with_token`](SenderTokenExt::with_token) by value, for a view that is to be returned, stored or sent to
    /// another thread.
    fn with_token_owned(self, token: impl Into<Token>) -> WithToken<'static, Sender<T>> {
        WithToken::new(Cow::Owned(self.into()), token.into())
    }

    /// One [`send`](WithToken::send) that ends when the token is cancelled. Of many in a row, those of a
    /// [view](SenderTokenExt::with_token) cost less where they have to wait.
    ///
    /// # Errors
    ///
    /// As [`send`](WithToken::send).
    ///
    /// # Panics
    ///
    /// As [`WithToken`].
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_channel::prelude::*;
    /// use cantok_core::SimpleToken;
    /// use crossbeam_channel::unbounded;
    ///
    /// let (sender, receiver) = unbounded();
    /// let token = SimpleToken::new();
    /// sender.send_with_token("a", &token).unwrap();
    /// token.cancel();
    /// assert_eq!(sender.send_with_token("b", &token).unwrap_err().into_inner(), "b");
    /// assert!(receiver.try_iter().eq(["a"]));
    /// ```
    #[inline]
    fn send_with_token(&self, message: T, token: &Token) -> Result<(), SendTokenError<T>> {
        Call::new(token, &OnceLock::new(), "send_with_token").send(self.borrow(), message)
    }
}

impl<T> SenderTokenExt<T> for Sender<T> {}
