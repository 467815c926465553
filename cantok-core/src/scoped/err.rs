use crate::{CancellationError, Cause};
use std::error::Error;
use std::{fmt, io};

/// The error of a [`scope`](crate::scope): a thread failed, or the token was cancelled and a thread was skipped or
/// stopped. It reports which came first.
///
/// It converts into its [`CancellationError`], and into an [`io::Error`] as that does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ScopeError {
    pub(super) is_started: bool,
    pub(super) has_failed: bool,
    pub(super) skipped: usize,
    pub(super) cancellation: CancellationError,
}

impl ScopeError {
    /// Returns the error of the thread that failed first, if that came before the token was cancelled.
    pub fn failure(&self) -> Option<&(dyn Error + Send + Sync + 'static)> {
        match self.cancellation.cause() {
            Cause::Reason(reason) if self.has_failed => Some(reason.as_error()),
            _ => None,
        }
    }

    /// Returns how many threads were skipped. If the scope itself was not started, that is 0.
    pub fn skipped(&self) -> usize {
        self.skipped
    }

    /// Returns why the threads were stopped. If a thread failed first, the reason is its error.
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

/// Returns the source of the failure, since the failure is part of the message, or else the [`CancellationError`].
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
