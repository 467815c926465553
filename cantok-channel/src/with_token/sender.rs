use super::WithToken;
use crate::crossbeam::Sender;
use crate::{SendTimeoutTokenError, SendTokenError, SenderTokenExt, TrySendTokenError};
use std::time::{Duration, Instant};

/// Sending. As crossbeam's operations of the same names, until the token is cancelled.
impl<S: SenderTokenExt> WithToken<S> {
    /// Waits until the message can be sent: until there is room for it, or, without capacity, somebody to receive it.
    ///
    /// # Errors
    ///
    /// With the message: [`Cancelled`](SendTokenError::Cancelled) when the token is, also if there is room;
    /// [`Disconnected`](SendTokenError::Disconnected) when all receivers are gone.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_channel::SendTokenError;
    /// use cantok_channel::prelude::*;
    /// use cantok_core::{SimpleToken, TimeoutToken};
    /// use crossbeam_channel::bounded;
    /// use std::time::Duration;
    ///
    /// let (sender, receiver) = bounded(1);
    /// sender.with_token(SimpleToken::new()).send("hello").unwrap();
    ///
    /// let timeout = TimeoutToken::new(Duration::from_millis(5));
    /// match sender.with_token(timeout).send("are you there?") {
    ///     Err(SendTokenError::Cancelled(message, error)) => {
    ///         assert_eq!(message, "are you there?");
    ///         assert_eq!(error.to_string(), "the timeout of 5ms has expired");
    ///     }
    ///     other => unreachable!("{other:?}"),
    /// }
    /// assert!(receiver.try_iter().eq(["hello"]));
    /// ```
    #[inline]
    pub fn send(&self, message: S::Message) -> Result<(), SendTokenError<S::Message>> {
        self.call("send").send(self.sender(), message)
    }

    /// Sends the message if that can be done at once.
    ///
    /// # Errors
    ///
    /// With the message: [`Cancelled`](TrySendTokenError::Cancelled) when the token is, also if there is room;
    /// [`Full`](TrySendTokenError::Full) when there is no room, or, without capacity, nobody who waits to receive;
    /// [`Disconnected`](TrySendTokenError::Disconnected) when all receivers are gone.
    #[inline]
    pub fn try_send(&self, message: S::Message) -> Result<(), TrySendTokenError<S::Message>> {
        self.call("try_send").try_send(self.sender(), message)
    }

    /// Waits until the message can be sent, for at most `timeout`.
    ///
    /// # Errors
    ///
    /// As [`send`](WithToken::send), and [`Timeout`](SendTimeoutTokenError::Timeout) when that time has passed, which
    /// ends neither the token nor the channel. A time beyond the clock's range never passes.
    pub fn send_timeout(
        &self,
        message: S::Message,
        timeout: Duration,
    ) -> Result<(), SendTimeoutTokenError<S::Message>> {
        let deadline = Instant::now().checked_add(timeout);
        self.call("send_timeout")
            .send_until(self.sender(), message, deadline)
    }

    /// Waits until the message can be sent, until `deadline` at the latest.
    ///
    /// # Errors
    ///
    /// As [`send_timeout`](WithToken::send_timeout).
    pub fn send_deadline(
        &self,
        message: S::Message,
        deadline: Instant,
    ) -> Result<(), SendTimeoutTokenError<S::Message>> {
        self.call("send_deadline")
            .send_until(self.sender(), message, Some(deadline))
    }

    /// The sender itself, whose operations know nothing of the token: for `len`, `capacity` and the like.
    pub fn sender(&self) -> &Sender<S::Message> {
        self.channel.as_sender()
    }
}
