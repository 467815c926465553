use cantok_core::CancellationError;
use crossbeam_channel::RecvError;
use std::error::Error;
use std::fmt;

/// The error of [`recv`](crate::WithToken::recv).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RecvTokenError {
    /// The token was cancelled. No message was taken.
    Cancelled(CancellationError),
    /// The channel is empty and disconnected.
    Disconnected,
}

impl RecvTokenError {
    /// Returns the error of the token, if the token was cancelled.
    pub fn cancellation(&self) -> Option<&CancellationError> {
        match self {
            RecvTokenError::Cancelled(error) => Some(error),
            RecvTokenError::Disconnected => None,
        }
    }

    /// Returns `true` if the token was cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.cancellation().is_some()
    }

    /// Returns `true` if the channel is empty and disconnected.
    pub fn is_disconnected(&self) -> bool {
        matches!(self, RecvTokenError::Disconnected)
    }
}

impl From<CancellationError> for RecvTokenError {
    fn from(error: CancellationError) -> Self {
        RecvTokenError::Cancelled(error)
    }
}

/// After a cancel, prints the [`CancellationError`], otherwise what crossbeam's error prints.
impl fmt::Display for RecvTokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RecvTokenError::Cancelled(error) => error.fmt(f),
            RecvTokenError::Disconnected => RecvError.fmt(f),
        }
    }
}

impl Error for RecvTokenError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cancellation().and_then(Error::source)
    }
}
