//! What cancelled a node, and the error that tells it.

use super::Node;
use crate::clock;
use crate::{CancellationError, Cause};
use std::time::Instant;

/// What a node's write-once cell holds.
pub(super) enum Fired {
    /// A call of `cancel`, on a token without a name, at that instant. The first caller that asks for the error makes
    /// it. So a token that is cancelled and dropped allocates nothing for that.
    Call(Instant),
    Error(CancellationError),
}

impl Fired {
    pub(super) fn at(&self) -> Instant {
        match self {
            Fired::Call(at) => *at,
            Fired::Error(error) => error.at(),
        }
    }

    /// Whether it holds a value of the user's.
    #[inline]
    pub(super) fn has_reason(&self) -> bool {
        matches!(self, Fired::Error(error) if error.has_reason())
    }
}

impl From<CancellationError> for Fired {
    fn from(error: CancellationError) -> Self {
        Fired::Error(error)
    }
}

impl Node {
    /// What a call that cancels now puts into the node's cell.
    #[inline]
    pub(super) fn called(&self, cause: Cause) -> Fired {
        let at = clock::now();
        match cause {
            Cause::Cancelled if self.name().is_none() => Fired::Call(at),
            cause => CancellationError::new(cause, self.name().cloned(), self, at).into(),
        }
    }

    /// The error in this node's own cell. All callers get the same one.
    pub(super) fn fired(&self) -> Option<&CancellationError> {
        match self.cause.get()? {
            Fired::Call(at) => Some(self.make_error(*at)),
            Fired::Error(error) => Some(error),
        }
    }

    #[cold]
    fn make_error(&self, at: Instant) -> &CancellationError {
        let make = || CancellationError::new(Cause::Cancelled, None, self, at);
        self.label.get_or_init(Box::default).error.get_or_init(make)
    }
}
