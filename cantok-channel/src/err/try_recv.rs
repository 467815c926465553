use crate::RecvTokenError;
use cantok_core::CancellationError;
use crossbeam_channel::TryRecvError;
use std::error::Error;
use std::fmt;

/// The error of [`try_recv`](crate::WithToken::try_recv).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TryRecvTokenError {
    /// The token was cancelled. No message was taken.
    Cancelled(CancellationError),
    /// The channel is empty, but not disconnected. A channel without capacity is empty unless a sender waits.
    Empty,
    /// The channel is empty and disconnected.
    Disconnected,
}

impl TryRecvTokenError {
    /// Returns the error of the token, if the token was cancelled.
    pub fn cancellation(&self) -> Option<&CancellationError> {
        match self {
            TryRecvTokenError::Cancelled(error) => Some(error),
            TryRecvTokenError::Empty | TryRecvTokenError::Disconnected => None,
        }
    }

    /// Returns `true` if the token was cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.cancellation().is_some()
    }

    /// Returns `true` if there was no message.
    pub fn is_empty(&self) -> bool {
        matches!(self, TryRecvTokenError::Empty)
    }

    /// Returns `true` if the channel is empty and disconnected.
    pub fn is_disconnected(&self) -> bool {
        matches!(self, TryRecvTokenError::Disconnected)
    }
}

impl From<RecvTokenError> for TryRecvTokenError {
    fn from(error: RecvTokenError) -> Self {
        match error {
            RecvTokenError::Cancelled(error) => TryRecvTokenError::Cancelled(error),
            RecvTokenError::Disconnected => TryRecvTokenError::Disconnected,
        }
    }
}

impl From<CancellationError> for TryRecvTokenError {
    fn from(error: CancellationError) -> Self {
        TryRecvTokenError::Cancelled(error)
    }
}

/// After a cancel, prints the [`CancellationError`], otherwise what crossbeam's error prints.
impl fmt::Display for TryRecvTokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TryRecvTokenError::Cancelled(error) => error.fmt(f),
            TryRecvTokenError::Empty => TryRecvError::Empty.fmt(f),
            TryRecvTokenError::Disconnected => TryRecvError::Disconnected.fmt(f),
        }
    }
}

impl Error for TryRecvTokenError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cancellation().and_then(Error::source)
    }
}
