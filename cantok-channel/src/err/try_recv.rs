use crate::RecvTokenError;
use cantok_core::CancellationError;
use crossbeam_channel::TryRecvError;
use std::error::Error;
use std::fmt;

/// Why [`try_recv`](crate::WithToken::try_recv) returned no message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TryRecvTokenError {
    /// The token is cancelled. No message was taken.
    Cancelled(CancellationError),
    /// The channel is empty and not disconnected. One without capacity is empty unless somebody waits to send.
    Empty,
    /// The channel is empty and disconnected.
    Disconnected,
}

impl TryRecvTokenError {
    /// The cancel, if that is why.
    pub fn cancellation(&self) -> Option<&CancellationError> {
        match self {
            TryRecvTokenError::Cancelled(error) => Some(error),
            TryRecvTokenError::Empty | TryRecvTokenError::Disconnected => None,
        }
    }

    /// Whether the token is cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.cancellation().is_some()
    }

    /// Whether there was no message.
    pub fn is_empty(&self) -> bool {
        matches!(self, TryRecvTokenError::Empty)
    }

    /// Whether the channel is empty and disconnected.
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

/// Of a cancel, what its [`CancellationError`] says; otherwise what crossbeam's error says.
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
