use std::error::Error;
use std::fmt;
use tokio::task::JoinError;

/// Why a task of a [`TaskGroup`](crate::TaskGroup) returned no output.
#[derive(Debug)]
pub enum GroupError<E> {
    /// The error that the task returned.
    Failed(E),
    /// The task panicked, or its runtime was shut down before it ended.
    Join(JoinError),
}

impl<E: fmt::Display> fmt::Display for GroupError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            GroupError::Failed(error) => error.fmt(f),
            GroupError::Join(error) => error.fmt(f),
        }
    }
}

impl<E: Error + 'static> Error for GroupError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            GroupError::Failed(error) => error.source(),
            GroupError::Join(error) => error.source(),
        }
    }
}
