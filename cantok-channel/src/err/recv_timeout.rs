use crate::RecvTokenError;
use cantok_core::CancellationError;
use crossbeam_channel::RecvTimeoutError;
use std::error::Error;
use std::fmt;

/// Why [`recv_timeout`](crate::WithToken::recv_timeout) or [`recv_deadline`](crate::WithToken::recv_deadline) returned
/// no message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RecvTimeoutTokenError {
    /// The token is cancelled. No message was taken.
    Cancelled(CancellationError),
    /// The time has passed, and none of the others holds.
    Timeout,
    /// The channel is empty and disconnected.
    Disconnected,
}

impl RecvTimeoutTokenError {
    /// The cancel, if that is why.
    pub fn cancellation(&self) -> Option<&CancellationError> {
        match self {
            RecvTimeoutTokenError::Cancelled(error) => Some(error),
            RecvTimeoutTokenError::Timeout | RecvTimeoutTokenError::Disconnected => None,
        }
    }

    /// Whether the token is cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.cancellation().is_some()
    }

    /// Whether the time has passed.
    pub fn is_timeout(&self) -> bool {
        matches!(self, RecvTimeoutTokenError::Timeout)
    }

    /// Whether the channel is empty and disconnected.
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

/// Of a cancel, what its [`CancellationError`] says; otherwise what crossbeam's error says.
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
