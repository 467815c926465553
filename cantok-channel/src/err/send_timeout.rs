use crate::SendTokenError;
use cantok_core::CancellationError;
use crossbeam_channel::SendTimeoutError;
use std::error::Error;
use std::fmt;

/// The error of [`send_timeout`](crate::WithToken::send_timeout) and
/// [`send_deadline`](crate::WithToken::send_deadline), with the unsent message.
#[derive(Clone, PartialEq, Eq)]
pub enum SendTimeoutTokenError<T> {
    /// The token was cancelled.
    Cancelled(T, CancellationError),
    /// The time has passed, the token is not cancelled, and there was no room.
    Timeout(T),
    /// The channel is disconnected: all receivers are gone.
    Disconnected(T),
}

impl<T> SendTimeoutTokenError<T> {
    /// Returns the unsent message.
    pub fn into_inner(self) -> T {
        match self {
            SendTimeoutTokenError::Cancelled(message, _)
            | SendTimeoutTokenError::Timeout(message)
            | SendTimeoutTokenError::Disconnected(message) => message,
        }
    }

    /// Returns the error of the token, if the token was cancelled.
    pub fn cancellation(&self) -> Option<&CancellationError> {
        match self {
            SendTimeoutTokenError::Cancelled(_, error) => Some(error),
            SendTimeoutTokenError::Timeout(_) | SendTimeoutTokenError::Disconnected(_) => None,
        }
    }

    /// Returns `true` if the token was cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.cancellation().is_some()
    }

    /// Returns `true` if the time has passed.
    pub fn is_timeout(&self) -> bool {
        matches!(self, SendTimeoutTokenError::Timeout(_))
    }

    /// Returns `true` if all receivers are gone.
    pub fn is_disconnected(&self) -> bool {
        matches!(self, SendTimeoutTokenError::Disconnected(_))
    }
}

impl<T> From<SendTokenError<T>> for SendTimeoutTokenError<T> {
    fn from(error: SendTokenError<T>) -> Self {
        match error {
            SendTokenError::Cancelled(message, error) => {
                SendTimeoutTokenError::Cancelled(message, error)
            }
            SendTokenError::Disconnected(message) => SendTimeoutTokenError::Disconnected(message),
        }
    }
}

/// Without the message, which need not be `Debug`.
impl<T> fmt::Debug for SendTimeoutTokenError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SendTimeoutTokenError::Cancelled(_, error) => write!(f, "Cancelled(.., {error:?})"),
            SendTimeoutTokenError::Timeout(_) => f.write_str("Timeout(..)"),
            SendTimeoutTokenError::Disconnected(_) => f.write_str("Disconnected(..)"),
        }
    }
}

/// After a cancel, prints the [`CancellationError`], otherwise what crossbeam's error prints.
impl<T> fmt::Display for SendTimeoutTokenError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SendTimeoutTokenError::Cancelled(_, error) => error.fmt(f),
            SendTimeoutTokenError::Timeout(_) => SendTimeoutError::Timeout(()).fmt(f),
            SendTimeoutTokenError::Disconnected(_) => SendTimeoutError::Disconnected(()).fmt(f),
        }
    }
}

impl<T> Error for SendTimeoutTokenError<T> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cancellation().and_then(Error::source)
    }
}
