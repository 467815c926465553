use crate::call::Call;
use crate::crossbeam::Sender;
use crate::{SendTokenError, WithToken};
use cantok_core::Token;
use std::sync::OnceLock;

/// `with_token` and `send_with_token` for crossbeam's senders, of whatever channel, and for references to them.
pub trait SenderTokenExt: Sized {
    /// What is sent.
    type Message;

    /// The sender.
    fn as_sender(&self) -> &Sender<Self::Message>;

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
    fn with_token(&self, token: impl Into<Token>) -> WithToken<&Sender<Self::Message>> {
        WithToken::new(self.as_sender(), token.into())
    }

    /// [`with_token`](SenderTokenExt::with_token) by value, for a view that is to be returned, stored or sent to
    /// another thread.
    fn with_token_owned(self, token: impl Into<Token>) -> WithToken<Self> {
        WithToken::new(self, token.into())
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
    fn send_with_token(
        &self,
        message: Self::Message,
        token: &Token,
    ) -> Result<(), SendTokenError<Self::Message>> {
        Call::new(token, &OnceLock::new(), "send").send(self.as_sender(), message)
    }
}

impl<T> SenderTokenExt for Sender<T> {
    type Message = T;

    #[inline]
    fn as_sender(&self) -> &Sender<T> {
        self
    }
}

impl<S: SenderTokenExt> SenderTokenExt for &S {
    type Message = S::Message;

    #[inline]
    fn as_sender(&self) -> &Sender<S::Message> {
        S::as_sender(self)
    }
}
