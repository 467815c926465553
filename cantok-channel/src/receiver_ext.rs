use crate::call::Call;
use crate::crossbeam::Receiver;
use crate::{RecvTokenError, TryWithToken, WithToken};
use cantok_core::Token;
use std::borrow::Borrow;
use std::sync::OnceLock;

/// Adds `with_token`, `try_with_token` and `recv_with_token` to crossbeam's receivers, of every kind of channel, and to
/// references to them.
pub trait ReceiverTokenExt: Borrow<Receiver<Self::Message>> + Sized {
    /// The type of the messages.
    type Message;

    /// Returns a view of this receiver whose operations end when the token is cancelled. [`WithToken`] lists the
    /// guarantees.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_channel::prelude::*;
    /// use cantok_core::SimpleToken;
    /// use crossbeam_channel::unbounded;
    /// use std::thread;
    ///
    /// let (sender, receiver) = unbounded();
    /// let token = SimpleToken::new();
    ///
    /// let worker = thread::spawn({
    ///     let token = token.clone();
    ///     move || receiver.with_token(token).iter().sum::<u32>()
    /// });
    ///
    /// let sender = sender.with_token(&token);
    /// sender.send(40).unwrap();
    /// sender.send(2).unwrap();
    ///
    /// token.cancel(); // the worker need not wait for the sender to go
    /// assert!([0, 40, 42].contains(&worker.join().unwrap()));
    /// assert_eq!(sender.send(1).unwrap_err().into_inner(), 1);
    /// ```
    fn with_token(&self, token: impl Into<Token>) -> WithToken<&Receiver<Self::Message>> {
        WithToken::new(self.borrow(), token.into())
    }

    /// Like [`with_token`](ReceiverTokenExt::with_token), but by value, for a view that you return, store or send to
    /// another thread.
    fn with_token_owned(self, token: impl Into<Token>) -> WithToken<Self> {
        WithToken::new(self, token.into())
    }

    /// Returns an iterator over `Ok(message)` until the channel is empty and disconnected.
    ///
    /// If the token is cancelled first, the iterator ends with one `Err` that holds the cause. So a part of the
    /// messages cannot pass for all of them.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_channel::prelude::*;
    /// use cantok_core::{CancellationError, CounterToken};
    /// use crossbeam_channel::unbounded;
    ///
    /// let (sender, receiver) = unbounded();
    /// (1..=10).for_each(|number| sender.send(number).unwrap());
    /// drop(sender);
    ///
    /// let sum: Result<u32, CancellationError> =
    ///     receiver.try_with_token(CounterToken::new(3)).sum();
    /// assert_eq!(sum.unwrap_err().to_string(), "the counter of 3 checks is used up");
    /// assert_eq!(receiver.len(), 7); // nothing was taken and dropped
    /// ```
    fn try_with_token(&self, token: impl Into<Token>) -> TryWithToken<&Receiver<Self::Message>> {
        TryWithToken::new(self.with_token(token))
    }

    /// Like [`try_with_token`](ReceiverTokenExt::try_with_token), but by value.
    fn try_with_token_owned(self, token: impl Into<Token>) -> TryWithToken<Self> {
        TryWithToken::new(self.with_token_owned(token))
    }

    /// Receives one message: a single [`recv`](WithToken::recv) that ends when the token is cancelled.
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
    /// sender.send(1).unwrap();
    /// sender.send(2).unwrap();
    /// assert_eq!(receiver.recv_with_token(&token), Ok(1));
    /// token.cancel();
    /// assert!(receiver.recv_with_token(&token).unwrap_err().is_cancelled());
    /// assert_eq!(receiver.recv(), Ok(2)); // it is still there
    /// ```
    ///
    /// # Errors
    ///
    /// As [`recv`](WithToken::recv).
    ///
    /// # Panics
    ///
    /// As [`WithToken`].
    ///
    /// # Cost
    ///
    /// It borrows the token, so a call that need not wait leaves its reference count alone. For many calls in a row
    /// that have to wait, a [view](ReceiverTokenExt::with_token) costs less.
    #[inline]
    fn recv_with_token(&self, token: &Token) -> Result<Self::Message, RecvTokenError> {
        Call::new(token, &OnceLock::new(), "recv").recv(self.borrow())
    }
}

impl<T> ReceiverTokenExt for Receiver<T> {
    type Message = T;
}

impl<T> ReceiverTokenExt for &Receiver<T> {
    type Message = T;
}
