use super::WithToken;
use crate::crossbeam::Receiver;
use crate::{
    IntoIter, Iter, ReceiverTokenExt, RecvTimeoutTokenError, RecvTokenError, TryIter,
    TryRecvTokenError,
};
use std::time::{Duration, Instant};

/// Receiving. As crossbeam's operations of the same names, until the token is cancelled.
impl<R: ReceiverTokenExt> WithToken<R> {
    /// Waits for a message.
    ///
    /// # Errors
    ///
    /// [`Cancelled`](RecvTokenError::Cancelled) when the token is; [`Disconnected`](RecvTokenError::Disconnected) when
    /// the channel is empty and disconnected.
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
    #[inline]
    pub fn recv(&self) -> Result<R::Message, RecvTokenError> {
        self.call("recv").recv(self.receiver())
    }

    /// Takes a message if there is one.
    ///
    /// # Errors
    ///
    /// [`Cancelled`](TryRecvTokenError::Cancelled) when the token is, also if there are messages;
    /// [`Empty`](TryRecvTokenError::Empty); [`Disconnected`](TryRecvTokenError::Disconnected) when the channel is empty
    /// and disconnected.
    #[inline]
    pub fn try_recv(&self) -> Result<R::Message, TryRecvTokenError> {
        self.call("try_recv").try_recv(self.receiver())
    }

    /// Waits for a message, for at most `timeout`.
    ///
    /// # Errors
    ///
    /// As [`recv`](WithToken::recv), and [`Timeout`](RecvTimeoutTokenError::Timeout) when that time has passed, which
    /// ends neither the token nor the channel. A time beyond the clock's range never passes.
    pub fn recv_timeout(&self, timeout: Duration) -> Result<R::Message, RecvTimeoutTokenError> {
        let deadline = Instant::now().checked_add(timeout);
        self.call("recv_timeout")
            .recv_until(self.receiver(), deadline)
    }

    /// Waits for a message until `deadline` at the latest.
    ///
    /// # Errors
    ///
    /// As [`recv_timeout`](WithToken::recv_timeout).
    pub fn recv_deadline(&self, deadline: Instant) -> Result<R::Message, RecvTimeoutTokenError> {
        self.call("recv_deadline")
            .recv_until(self.receiver(), Some(deadline))
    }

    /// An iterator that [receives](WithToken::recv) until the token is cancelled or the channel is empty and
    /// disconnected. One that was stopped looks finished: if
    /// [`Token::cancellation`](cantok_core::Token::cancellation) is `None` afterwards, it was not stopped.
    /// [`try_with_token`](crate::ReceiverTokenExt::try_with_token) tells by itself.
    pub fn iter(&self) -> Iter<'_, R> {
        Iter::new(self)
    }

    /// An iterator that [takes what is there](WithToken::try_recv) without waiting, until the token is cancelled or the
    /// channel is empty. Each time it is asked is one check, also when it finds nothing.
    pub fn try_iter(&self) -> TryIter<'_, R> {
        TryIter::new(self)
    }

    /// An iterator over what is still in the channel, without waiting and without asking the token: for what is left
    /// after a cancel. It spends no counter.
    ///
    /// It is crossbeam's iterator and ends when the channel is empty, which it need not be for good: a send that was
    /// under way at the cancel may still put its message there. What is drained once those calls have returned is all
    /// that is left. Of a channel without capacity it takes what waits to be sent.
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

    /// The receiver itself, whose operations know nothing of the token: for `len`, `capacity` and the like.
    pub fn receiver(&self) -> &Receiver<R::Message> {
        self.channel.as_receiver()
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
