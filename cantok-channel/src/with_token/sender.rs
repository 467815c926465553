use super::WithToken;
use crate::crossbeam::Sender;
use crate::{SendTimeoutTokenError, SendTokenError, SenderTokenExt, TrySendTokenError};
use std::time::{Duration, Instant};

/// Crossbeam's sending operations, which here end with the token.
impl<S: SenderTokenExt> WithToken<S> {
    /// Blocks until the message is sent, the channel is disconnected or the token is cancelled.
    ///
    /// A message is sent when there is room for it, or, in a channel without capacity, a receiver.
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
    ///
    /// # Errors
    ///
    /// [`Cancelled`](SendTokenError::Cancelled) if the token is cancelled, even if there is room.
    /// [`Disconnected`](SendTokenError::Disconnected) if all receivers are gone. Both return the message.
    #[inline]
    pub fn send(&self, message: S::Message) -> Result<(), SendTokenError<S::Message>> {
        self.call("send").send(self.sender(), message)
    }

    /// Sends the message if that is possible at once. Never blocks.
    ///
    /// # Errors
    ///
    /// [`Cancelled`](TrySendTokenError::Cancelled) if the token is cancelled, even if there is room.
    /// [`Disconnected`](TrySendTokenError::Disconnected) if all receivers are gone. [`Full`](TrySendTokenError::Full)
    /// if there is no room, or, in a channel without capacity, no receiver that waits. All return the message.
    #[inline]
    pub fn try_send(&self, message: S::Message) -> Result<(), TrySendTokenError<S::Message>> {
        self.call("try_send").try_send(self.sender(), message)
    }

    /// Like [`send`](WithToken::send), but blocks for at most `timeout`. A time beyond the clock's range never passes.
    ///
    /// # Errors
    ///
    /// As [`send`](WithToken::send), and [`Timeout`](SendTimeoutTokenError::Timeout) once that time has passed. A
    /// timeout ends neither the token nor the channel.
    pub fn send_timeout(
        &self,
        message: S::Message,
        timeout: Duration,
    ) -> Result<(), SendTimeoutTokenError<S::Message>> {
        let deadline = Instant::now().checked_add(timeout);
        self.call("send_timeout")
            .send_until(self.sender(), message, deadline)
    }

    /// Like [`send`](WithToken::send), but blocks until `deadline` at the latest.
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

    /// Returns the sender itself, whose operations do not end with the token, for `len`, `capacity` and the like.
    pub fn sender(&self) -> &Sender<S::Message> {
        self.channel.borrow()
    }
}
