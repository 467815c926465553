//! What cancelled a node, and the error that tells it, with the node's name and reason.

use super::{Body, Node};
use crate::clock;
use crate::sync::{Arc, OnceLock};
use crate::{CancellationError, Cause, Reason};
use std::time::Instant;

/// What a node's write-once cell holds.
pub(super) enum Fired {
    /// A call of `cancel` at that [moment](clock::moment), or the node's own deadline, which was then; without a name
    /// and a reason. The error is made when a caller first asks for it. So a token that is cancelled and dropped
    /// allocates nothing for that, and neither does the timer's thread. If the token ever had a waiter, the cancel makes
    /// the error, since a thread that was just woken takes longer.
    Own(Option<Instant>),
    Error(CancellationError),
}

impl Fired {
    pub(super) fn moment(&self) -> Option<Instant> {
        match self {
            Fired::Own(at) => *at,
            Fired::Error(error) => error.moment(),
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

/// The earliest cause among a node's edges and deadlines.
pub(super) enum Found<'a> {
    /// An edge is cancelled.
    Error(&'a CancellationError),
    /// This node has fired by itself, and is not marked.
    Fired(&'a Arc<Node>),
}

/// What few nodes have: a name and a reason, which are reported with the cause, and an error that is made late. So a node
/// has only a pointer to them.
#[derive(Default)]
pub(super) struct Label {
    name: OnceLock<Arc<str>>,
    because: OnceLock<Reason>,
    /// See [`Fired::Own`].
    error: OnceLock<CancellationError>,
}

impl Node {
    pub(crate) fn name(&self) -> Option<&Arc<str>> {
        self.label.get()?.name.get()
    }

    /// Sets the name, unless there is one.
    pub(crate) fn set_name(&self, name: Arc<str>) {
        let _ = self.label.get_or_init(Box::default).name.set(name);
    }

    /// The reason of a typed token.
    #[inline]
    pub(crate) fn because(&self) -> Option<&Reason> {
        self.label.get()?.because.get()
    }

    /// Sets the reason. `false` if there is one already.
    pub(crate) fn set_because(&self, reason: Reason) -> bool {
        self.label
            .get_or_init(Box::default)
            .because
            .set(reason)
            .is_ok()
    }

    /// Whether this node is the one whose error that is.
    pub(crate) fn is_origin_of(&self, error: &CancellationError) -> bool {
        // A later node may have the same address, but not this error: a node with this error owns the one that fired.
        error.origin() == self.address() && self.error() == Some(error)
    }

    /// What a call that cancels now puts into the node's cell.
    #[inline]
    pub(super) fn called(&self, cause: Cause) -> Fired {
        let at = clock::moment();
        match cause {
            // A waiter that is missed here makes the error itself.
            Cause::Cancelled if self.name().is_none() && !self.state.has_waiters() => {
                Fired::Own(at)
            }
            cause => CancellationError::new(cause, self.name().cloned(), self.address(), at).into(),
        }
    }

    /// What a typed token that fires by itself puts into its cell.
    pub(super) fn fires(self: &Arc<Self>) -> Fired {
        match (&self.body, self.deadline) {
            (Body::Deadline(_), at @ Some(_)) if self.label.get().is_none() => Fired::Own(at),
            _ => self.own_error().into(),
        }
    }

    /// The error in this node's own cell. All callers get the same one.
    pub(super) fn fired(&self) -> Option<&CancellationError> {
        match self.cause.get()? {
            Fired::Own(at) => self.make_error(*at),
            Fired::Error(error) => Some(error),
        }
    }

    #[cold]
    fn make_error(&self, at: Option<Instant>) -> Option<&CancellationError> {
        let cause = match self.body {
            // Not a call: that would have found that the deadline has passed.
            Body::Deadline(after) if at.is_some() && self.deadline == at => {
                Cause::Timeout { after }
            }
            _ => Cause::Cancelled,
        };
        let error = &self.label.get_or_init(Box::default).error;
        if error.get().is_none() {
            let _ = error.set(CancellationError::new(cause, None, self.address(), at));
        }
        error.get()
    }
}
