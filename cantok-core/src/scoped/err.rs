use crate::{CancellationError, Cause};
use std::error::Error;
use std::{fmt, io};

/// A [`scope`](crate::scope) in which a thread failed, or of which something was skipped or stopped because its token was
/// cancelled: whichever came first.
///
/// It converts into what it is caused by, a [`CancellationError`], and into an [`io::Error`] as that does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ScopeError {
    pub(super) is_started: bool,
    pub(super) has_failed: bool,
    pub(super) skipped: usize,
    pub(super) cancellation: CancellationError,
}

impl ScopeError {
    /// The error of the thread that failed first, if that came before the token was cancelled.
    pub fn failure(&self) -> Option<&(dyn Error + Send + Sync + 'static)> {
        match self.cancellation.cause() {
            Cause::Reason(reason) if self.has_failed => Some(reason.as_error()),
            _ => None,
        }
    }

    /// How many threads were not started. None at all was spawned if the scope itself was not started.
    pub fn skipped(&self) -> usize {
        self.skipped
    }

    /// Why the threads were stopped. If one of them has failed, the reason is its error.
    pub fn cancellation(&self) -> &CancellationError {
        &self.cancellation
    }
}

impl fmt::Display for ScopeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(failure) = self.failure() {
            return write!(f, "a thread failed: {failure}");
        }
        match self.skipped {
            _ if !self.is_started => f.write_str("the scope was not started"),
            0 => f.write_str("a thread was stopped"),
            1 => f.write_str("1 thread was not started"),
            skipped => write!(f, "{skipped} threads were not started"),
        }
    }
}

/// The source of the failure, which is part of the message, or the [`CancellationError`].
impl Error for ScopeError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self.failure() {
            Some(failure) => failure.source(),
            None => Some(&self.cancellation),
        }
    }
}

impl From<ScopeError> for CancellationError {
    fn from(error: ScopeError) -> Self {
        error.cancellation
    }
}

impl From<ScopeError> for io::Error {
    fn from(error: ScopeError) -> Self {
        error.cancellation.into()
    }
}
