use cantok_core::CancellationError;
use std::error::Error;
use std::fmt;

/// Why a sink with a token has failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SinkTokenError<E> {
    /// The token is cancelled.
    Cancelled(CancellationError),
    /// The error of the inner sink.
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
