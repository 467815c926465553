use crate::RecvTokenError;
use cantok_core::CancellationError;
use crossbeam_channel::RecvTimeoutError;
use std::error::Error;
use std::fmt;

/// The error of [`recv_timeout`](crate::WithToken::recv_timeout) and
/// [`recv_deadline`](crate::WithToken::recv_deadline).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RecvTimeoutTokenError {
    /// The token was cancelled. No message was taken.
    Cancelled(CancellationError),
    /// The time has passed, the token is not cancelled, and there was no message.
    Timeout,
    /// The channel is empty and disconnected.
    Disconnected,
}

impl RecvTimeoutTokenError {
    /// Returns the error of the token, if the token was cancelled.
    pub fn cancellation(&self) -> Option<&CancellationError> {
        match self {
            RecvTimeoutTokenError::Cancelled(error) => Some(error),
            RecvTimeoutTokenError::Timeout | RecvTimeoutTokenError::Disconnected => None,
        }
    }

    /// Returns `true` if the token was cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.cancellation().is_some()
    }

    /// Returns `true` if the time has passed.
    pub fn is_timeout(&self) -> bool {
        matches!(self, RecvTimeoutTokenError::Timeout)
    }

    /// Returns `true` if the channel is empty and disconnected.
    pub fn is_disconnected(&self) -> bool {
        matches!(self, RecvTimeoutTokenError::Disconnected)
    }
}

impl From<RecvTokenError> for RecvTimeoutTokenError {
    fn from(error: RecvTokenError) -> Self {
        match error {
            RecvTokenError::Cancelled(error) => RecvTimeoutTokenError::Cancelled(error),
            RecvTokenError::Disconnected => RecvTimeoutTokenError::Disconnected,
        }
    }
}

impl From<CancellationError> for RecvTimeoutTokenError {
    fn from(error: CancellationError) -> Self {
        RecvTimeoutTokenError::Cancelled(error)
    }
}

/// After a cancel, prints the [`CancellationError`], otherwise what crossbeam's error prints.
impl fmt::Display for RecvTimeoutTokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RecvTimeoutTokenError::Cancelled(error) => error.fmt(f),
            RecvTimeoutTokenError::Timeout => RecvTimeoutError::Timeout.fmt(f),
            RecvTimeoutTokenError::Disconnected => RecvTimeoutError::Disconnected.fmt(f),
        }
    }
}

impl Error for RecvTimeoutTokenError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cancellation().and_then(Error::source)
    }
}
