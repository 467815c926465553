use crate::SendTokenError;
use cantok_core::CancellationError;
use crossbeam_channel::TrySendError;
use std::error::Error;
use std::fmt;

/// The error of [`try_send`](crate::WithToken::try_send), with the unsent message.
#[derive(Clone, PartialEq, Eq)]
pub enum TrySendTokenError<T> {
    /// The token was cancelled.
    Cancelled(T, CancellationError),
    /// The channel is full, but not disconnected. A channel without capacity is full unless a receiver waits.
    Full(T),
    /// The channel is disconnected: all receivers are gone.
    Disconnected(T),
}

impl<T> TrySendTokenError<T> {
    /// Returns the unsent message.
    pub fn into_inner(self) -> T {
        match self {
            TrySendTokenError::Cancelled(message, _)
            | TrySendTokenError::Full(message)
            | TrySendTokenError::Disconnected(message) => message,
        }
    }

    /// Returns the error of the token, if the token was cancelled.
    pub fn cancellation(&self) -> Option<&CancellationError> {
        match self {
            TrySendTokenError::Cancelled(_, error) => Some(error),
            TrySendTokenError::Full(_) | TrySendTokenError::Disconnected(_) => None,
        }
    }

    /// Returns `true` if the token was cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.cancellation().is_some()
    }

    /// Returns `true` if there was no room.
    pub fn is_full(&self) -> bool {
        matches!(self, TrySendTokenError::Full(_))
    }

    /// Returns `true` if all receivers are gone.
    pub fn is_disconnected(&self) -> bool {
        matches!(self, TrySendTokenError::Disconnected(_))
    }
}

impl<T> From<SendTokenError<T>> for TrySendTokenError<T> {
    fn from(error: SendTokenError<T>) -> Self {
        match error {
            SendTokenError::Cancelled(message, error) => {
                TrySendTokenError::Cancelled(message, error)
            }
            SendTokenError::Disconnected(message) => TrySendTokenError::Disconnected(message),
        }
    }
}

/// Without the message, which need not be `Debug`.
impl<T> fmt::Debug for TrySendTokenError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TrySendTokenError::Cancelled(_, error) => write!(f, "Cancelled(.., {error:?})"),
            TrySendTokenError::Full(_) => f.write_str("Full(..)"),
            TrySendTokenError::Disconnected(_) => f.write_str("Disconnected(..)"),
        }
    }
}

/// After a cancel, prints the [`CancellationError`], otherwise what crossbeam's error prints.
impl<T> fmt::Display for TrySendTokenError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TrySendTokenError::Cancelled(_, error) => error.fmt(f),
            TrySendTokenError::Full(_) => TrySendError::Full(()).fmt(f),
            TrySendTokenError::Disconnected(_) => TrySendError::Disconnected(()).fmt(f),
        }
    }
}

impl<T> Error for TrySendTokenError<T> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cancellation().and_then(Error::source)
    }
}
