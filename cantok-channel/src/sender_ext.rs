use crate::call::Call;
use crate::crossbeam::Sender;
use crate::{SendTokenError, WithToken};
use cantok_core::Token;
use std::borrow::Borrow;
use std::sync::OnceLock;

/// Adds `with_token` and `send_with_token` to crossbeam's senders, of every kind of channel, and to references to them.
pub trait SenderTokenExt: Borrow<Sender<Self::Message>> + Sized {
    /// The type of the messages.
    type Message;

    /// Returns a view of this sender whose operations end when the token is cancelled. [`WithToken`] lists the
    /// guarantees.
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
    fn with_token(&self, token: impl Into<Token>) -> WithToken<&Sender<Self::Message>> {
        WithToken::new(self.borrow(), token.into())
    }

    /// Like [`with_token`](SenderTokenExt::with_token), but by value, for a view that you return, store or send to
    /// another thread.
    fn with_token_owned(self, token: impl Into<Token>) -> WithToken<Self> {
        WithToken::new(self, token.into())
    }

    /// Sends one message: a single [`send`](WithToken::send) that ends when the token is cancelled.
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
    ///
    /// # Errors
    ///
    /// As [`send`](WithToken::send).
    ///
    /// # Panics
    ///
    /// As [`WithToken`].
    ///
    /// # Cost
    ///
    /// It borrows the token, so a call that need not wait leaves its reference count alone. For many calls in a row
    /// that have to wait, a [view](SenderTokenExt::with_token) costs less.
    #[inline]
    fn send_with_token(
        &self,
        message: Self::Message,
        token: &Token,
    ) -> Result<(), SendTokenError<Self::Message>> {
        Call::new(token, &OnceLock::new(), "send").send(self.borrow(), message)
    }
}

impl<T> SenderTokenExt for Sender<T> {
    type Message = T;
}

impl<T> SenderTokenExt for &Sender<T> {
    type Message = T;
}
