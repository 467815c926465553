use cantok_core::CancellationError;
use std::error::Error;
use std::fmt;

/// The error of a sink with a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SinkTokenError<E> {
    /// The token was cancelled.
    Cancelled(CancellationError),
    /// The inner sink failed.
    Sink(E),
}

impl<E: fmt::Display> fmt::Display for SinkTokenError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SinkTokenError::Cancelled(error) => error.fmt(f),
            SinkTokenError::Sink(error) => error.fmt(f),
        }
    }
}

impl<E: Error + 'static> Error for SinkTokenError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            SinkTokenError::Cancelled(error) => error.source(),
            SinkTokenError::Sink(error) => error.source(),
        }
    }
}

impl<E> From<CancellationError> for SinkTokenError<E> {
    fn from(error: CancellationError) -> Self {
        SinkTokenError::Cancelled(error)
    }
}
