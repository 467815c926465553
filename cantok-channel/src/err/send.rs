use cantok_core::CancellationError;
use crossbeam_channel::SendError;
use std::error::Error;
use std::fmt;

/// Why [`send`](crate::WithToken::send) did not send, with the message that was not sent.
#[derive(Clone, PartialEq, Eq)]
pub enum SendTokenError<T> {
    /// The token is cancelled.
    Cancelled(T, CancellationError),
    /// The channel is disconnected: all receivers are gone.
    Disconnected(T),
}

impl<T> SendTokenError<T> {
    /// The message that was not sent.
    pub fn into_inner(self) -> T {
        match self {
            SendTokenError::Cancelled(message, _) | SendTokenError::Disconnected(message) => {
                message
            }
        }
    }

    /// The cancel, if that is why.
    pub fn cancellation(&self) -> Option<&CancellationError> {
        match self {
            SendTokenError::Cancelled(_, error) => Some(error),
            SendTokenError::Disconnected(_) => None,
        }
    }

    /// Whether the token is cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.cancellation().is_some()
    }

    /// Whether the channel is disconnected.
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

/// Of a cancel, what its [`CancellationError`] says; otherwise what crossbeam's error says.
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
