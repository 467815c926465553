use super::WithToken;
use crate::crossbeam::Receiver;
use crate::{
    IntoIter, Iter, ReceiverTokenExt, RecvTimeoutTokenError, RecvTokenError, TryIter,
    TryRecvTokenError,
};
use std::time::{Duration, Instant};

/// Crossbeam's receiving operations, which here end with the token.
impl<R: ReceiverTokenExt> WithToken<R> {
    /// Blocks until a message arrives, the channel is disconnected or the token is cancelled.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_channel::RecvTokenError;
    /// use cantok_channel::prelude::*;
    /// use cantok_core::{SimpleToken, TimeoutToken};
    /// use crossbeam_channel::unbounded;
    /// use std::time::Duration;
    ///
    /// let (sender, receiver) = unbounded();
    /// sender.send("hello").unwrap();
    /// assert_eq!(receiver.with_token(SimpleToken::new()).recv(), Ok("hello"));
    ///
    /// let timeout = TimeoutToken::new(Duration::from_millis(5));
    /// match receiver.with_token(timeout).recv() {
    ///     Err(RecvTokenError::Cancelled(error)) => {
    ///         assert_eq!(error.to_string(), "the timeout of 5ms has expired");
    ///     }
    ///     other => unreachable!("{other:?}"),
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Cancelled`](RecvTokenError::Cancelled) if the token is cancelled,
    /// [`Disconnected`](RecvTokenError::Disconnected) if the channel is empty and disconnected.
    #[inline]
    pub fn recv(&self) -> Result<R::Message, RecvTokenError> {
        self.call("recv").recv(self.receiver())
    }

    /// Receives a message if one is available. Never blocks.
    ///
    /// # Errors
    ///
    /// [`Cancelled`](TryRecvTokenError::Cancelled) if the token is cancelled, even if there are messages.
    /// [`Disconnected`](TryRecvTokenError::Disconnected) if the channel is empty and disconnected, and
    /// [`Empty`](TryRecvTokenError::Empty) if it is only empty.
    #[inline]
    pub fn try_recv(&self) -> Result<R::Message, TryRecvTokenError> {
        self.call("try_recv").try_recv(self.receiver())
    }

    /// Like [`recv`](WithToken::recv), but blocks for at most `timeout`. A time beyond the clock's range never passes.
    ///
    /// # Errors
    ///
    /// As [`recv`](WithToken::recv), and [`Timeout`](RecvTimeoutTokenError::Timeout) once that time has passed. A
    /// timeout ends neither the token nor the channel.
    pub fn recv_timeout(&self, timeout: Duration) -> Result<R::Message, RecvTimeoutTokenError> {
        let deadline = Instant::now().checked_add(timeout);
        self.call("recv_timeout")
            .recv_until(self.receiver(), deadline)
    }

    /// Like [`recv`](WithToken::recv), but blocks until `deadline` at the latest.
    ///
    /// # Errors
    ///
    /// As [`recv_timeout`](WithToken::recv_timeout).
    pub fn recv_deadline(&self, deadline: Instant) -> Result<R::Message, RecvTimeoutTokenError> {
        self.call("recv_deadline")
            .recv_until(self.receiver(), Some(deadline))
    }

    /// Returns an iterator that [receives](WithToken::recv) until the token is cancelled or the channel is empty and
    /// disconnected.
    ///
    /// A stopped iterator looks finished: it was not stopped if
    /// [`Token::cancellation`](cantok_core::Token::cancellation) is `None` afterwards.
    /// [`try_with_token`](crate::ReceiverTokenExt::try_with_token) ends with an error instead.
    pub fn iter(&self) -> Iter<'_, R> {
        Iter::new(self)
    }

    /// Returns an iterator that [receives without waiting](WithToken::try_recv) until the token is cancelled or the
    /// channel is empty.
    ///
    /// Each call of `next` is one check, even if it finds nothing.
    pub fn try_iter(&self) -> TryIter<'_, R> {
        TryIter::new(self)
    }

    /// Returns an iterator over the messages left in the channel. It neither waits nor checks the token.
    ///
    /// Use it after a cancel. It spends no counter.
    ///
    /// It is crossbeam's iterator, and ends when the channel is empty. A send that was under way at the cancel may
    /// still add a message, so drain after those calls have returned to get all that is left. From a channel without
    /// capacity it takes the messages of senders that wait.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_channel::prelude::*;
    /// use cantok_core::CounterToken;
    /// use crossbeam_channel::unbounded;
    ///
    /// let (sender, receiver) = unbounded();
    /// (0..10).for_each(|number| sender.send(number).unwrap());
    ///
    /// let receiver = receiver.with_token_owned(CounterToken::new(3));
    /// assert!(receiver.iter().eq([0, 1, 2]));
    /// assert!(receiver.drain().eq(3..10));
    /// ```
    #[must_use = "it takes nothing out unless it is consumed"]
    pub fn drain(&self) -> crate::crossbeam::TryIter<'_, R::Message> {
        self.receiver().try_iter()
    }

    /// Returns the receiver itself, whose operations do not end with the token, for `len`, `capacity` and the like.
    pub fn receiver(&self) -> &Receiver<R::Message> {
        self.channel.borrow()
    }
}

impl<'a, R: ReceiverTokenExt> IntoIterator for &'a WithToken<R> {
    type Item = R::Message;
    type IntoIter = Iter<'a, R>;

    fn into_iter(self) -> Iter<'a, R> {
        self.iter()
    }
}

impl<R: ReceiverTokenExt> IntoIterator for WithToken<R> {
    type Item = R::Message;
    type IntoIter = IntoIter<R>;

    fn into_iter(self) -> IntoIter<R> {
        IntoIter::new(self)
    }
}
