use cantok_core::CancellationError;
use crossbeam_channel::RecvError;
use std::error::Error;
use std::fmt;

/// Why [`recv`](crate::WithToken::recv) returned no message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RecvTokenError {
    /// The token is cancelled. No message was taken.
    Cancelled(CancellationError),
    /// The channel is empty and disconnected.
    Disconnected,
}

impl RecvTokenError {
    /// The cancel, if that is why.
    pub fn cancellation(&self) -> Option<&CancellationError> {
        match self {
            RecvTokenError::Cancelled(error) => Some(error),
            RecvTokenError::Disconnected => None,
        }
    }

    /// Whether the token is cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.cancellation().is_some()
    }

    /// Whether the channel is empty and disconnected.
    pub fn is_disconnected(&self) -> bool {
        matches!(self, RecvTokenError::Disconnected)
    }
}

impl From<CancellationError> for RecvTokenError {
    fn from(error: CancellationError) -> Self {
        RecvTokenError::Cancelled(error)
    }
}

/// Of a cancel, what its [`CancellationError`] says; otherwise what crossbeam's error says.
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
