//! The state of a token that is cancelled some time after another one, its source. `crate::delayed` makes it.

use super::{Node, Waiter};
use crate::CancellationError;
use crate::clock;
use crate::leaves::MovingDeadline;
use crate::sync::{Arc, OnceLock};
use std::time::Duration;

pub(crate) struct Delayed {
    /// `None` for an orphan.
    pub(crate) source: Option<Arc<Node>>,
    pub(crate) after: Duration,
    /// The source's error, from whose instant the deadline counts. It is set before the deadline.
    pub(crate) error: OnceLock<CancellationError>,
    deadline: MovingDeadline,
    /// Called through a pointer, so that programs without delayed tokens are linked without it.
    leave: fn(&Delayed, Vec<Waiter>),
}

impl Delayed {
    /// Makes the state. If the node is dropped, `leave` is given its detached callbacks.
    pub(crate) fn new(
        source: Option<Arc<Node>>,
        after: Duration,
        leave: fn(&Delayed, Vec<Waiter>),
    ) -> Self {
        Delayed {
            source,
            after,
            error: OnceLock::new(),
            deadline: MovingDeadline::new(None),
            leave,
        }
    }

    /// Whether the source or the timer would still have cancelled the node, which is being dropped. `false` for an
    /// orphan, and for a delay beyond the clock's range.
    pub(super) fn goes_on(&self) -> bool {
        self.source.is_some() && clock::now().checked_add(self.after).is_some()
    }

    /// Hands over the detached callbacks of the node, which is being dropped.
    pub(super) fn leave(&self, callbacks: Vec<Waiter>) {
        (self.leave)(self, callbacks);
    }

    /// The deadline, which is set once the source is marked.
    pub(super) fn deadline(&self) -> &MovingDeadline {
        if self.deadline.get().is_none() {
            if let Some(error) = self.source.as_ref().and_then(|source| source.error()) {
                self.begin(error);
            }
        }
        &self.deadline
    }

    /// Sets the deadline. `false` if it is beyond the clock's range.
    pub(crate) fn begin(&self, error: &CancellationError) -> bool {
        // Several threads may come here, all with the same error.
        let _ = self.error.set(error.clone());
        self.deadline.set(error.at().checked_add(self.after));
        self.deadline.get().is_some()
    }
}
