use crate::SendTokenError;
use cantok_core::CancellationError;
use crossbeam_channel::SendTimeoutError;
use std::error::Error;
use std::fmt;

/// Why [`send_timeout`](crate::WithToken::send_timeout) or [`send_deadline`](crate::WithToken::send_deadline) did not
/// send, with the message that was not sent.
#[derive(Clone, PartialEq, Eq)]
pub enum SendTimeoutTokenError<T> {
    /// The token is cancelled.
    Cancelled(T, CancellationError),
    /// The time has passed, and none of the others holds.
    Timeout(T),
    /// The channel is disconnected: all receivers are gone.
    Disconnected(T),
}

impl<T> SendTimeoutTokenError<T> {
    /// The message that was not sent.
    pub fn into_inner(self) -> T {
        match self {
            SendTimeoutTokenError::Cancelled(message, _)
            | SendTimeoutTokenError::Timeout(message)
            | SendTimeoutTokenError::Disconnected(message) => message,
        }
    }

    /// The cancel, if that is why.
    pub fn cancellation(&self) -> Option<&CancellationError> {
        match self {
            SendTimeoutTokenError::Cancelled(_, error) => Some(error),
            SendTimeoutTokenError::Timeout(_) | SendTimeoutTokenError::Disconnected(_) => None,
        }
    }

    /// Whether the token is cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.cancellation().is_some()
    }

    /// Whether the time has passed.
    pub fn is_timeout(&self) -> bool {
        matches!(self, SendTimeoutTokenError::Timeout(_))
    }

    /// Whether the channel is disconnected.
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

/// Of a cancel, what its [`CancellationError`] says; otherwise what crossbeam's error says.
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
