use cantok_core::CancellationError;
use crossbeam_channel::SendError;
use std::error::Error;
use std::fmt;

/// The error of [`send`](crate::WithToken::send), with the unsent message.
#[derive(Clone, PartialEq, Eq)]
pub enum SendTokenError<T> {
    /// The token was cancelled.
    Cancelled(T, CancellationError),
    /// The channel is disconnected: all receivers are gone.
    Disconnected(T),
}

impl<T> SendTokenError<T> {
    /// Returns the unsent message.
    pub fn into_inner(self) -> T {
        match self {
            SendTokenError::Cancelled(message, _) | SendTokenError::Disconnected(message) => {
                message
            }
        }
    }

    /// Returns the error of the token, if the token was cancelled.
    pub fn cancellation(&self) -> Option<&CancellationError> {
        match self {
            SendTokenError::Cancelled(_, error) => Some(error),
            SendTokenError::Disconnected(_) => None,
        }
    }

    /// Returns `true` if the token was cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.cancellation().is_some()
    }

    /// Returns `true` if all receivers are gone.
    pub fn is_disconnected(&self) -> bool {
        matches!(self, SendTokenError::Disconnected(_))
    }
}

/// Without the message, which need not be `Debug`.
impl<T> fmt::Debug for SendTokenError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SendTokenError::Cancelled(_, error) => write!(f, "Cancelled(.., {error:?})"),
            SendTokenError::Disconnected(_) => f.write_str("Disconnected(..)"),
        }
    }
}

/// After a cancel, prints the [`CancellationError`], otherwise what crossbeam's error prints.
impl<T> fmt::Display for SendTokenError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SendTokenError::Cancelled(_, error) => error.fmt(f),
            SendTokenError::Disconnected(_) => SendError(()).fmt(f),
        }
    }
}

impl<T> Error for SendTokenError<T> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cancellation().and_then(Error::source)
    }
}
