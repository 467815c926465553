//! A subscriber's place in a node's list, for as long as it wants to be told.

use super::{Kind, Node, Subscriber};
use crate::later::drop_nested;
use crate::sync::Arc;
use std::borrow::Borrow;

/// Takes the subscriber out when dropped. Of a node that it owns or borrows: a reference count is not for those who are
/// in a hurry, as a thread is that was just woken.
pub(crate) struct Enrolment<N: Borrow<Arc<Node>>> {
    node: N,
    /// `None`: not in the list, because the node was cancelled before, or never will be.
    slot: Option<usize>,
}

impl<N: Borrow<Arc<Node>>> Enrolment<N> {
    /// The subscriber is told of every cancel from now on that is pushed to the node. The caller has the node linked
    /// or armed, and only then looks whether it came too late.
    pub(crate) fn new(of: N, subscriber: Subscriber) -> Self {
        let demand = subscriber.demand();
        let mut enrolment = Enrolment {
            node: of,
            slot: None,
        };
        let node = enrolment.node.borrow();
        if node.kind() != Kind::Never {
            demand.add(node);
            match node.insert(subscriber) {
                Ok(slot) => enrolment.slot = Some(slot),
                Err(_) => demand.release(node),
            }
        }
        enrolment
    }

    pub(crate) fn node(&self) -> &Arc<Node> {
        self.node.borrow()
    }

    pub(crate) fn is_in(&self) -> bool {
        self.slot.is_some()
    }

    /// Leaves the subscriber where it is for the node's life.
    pub(crate) fn detach(mut self) {
        self.slot = None;
    }
}

impl<N: Borrow<Arc<Node>>> Drop for Enrolment<N> {
    fn drop(&mut self) {
        let Some(slot) = self.slot else {
            return;
        };
        // Whoever takes the subscriber out takes its demand back: the canceller that tells it, or this. If there is no
        // demand, there is no need to come before a canceller that is on its way.
        if self.node().is_marked() && !self.node().state.polls() {
            return;
        }
        if let Some(subscriber) = self.node().remove(slot) {
            subscriber.demand().release(self.node());
            if let Subscriber::Waker(waker) | Subscriber::Checked(waker) = subscriber {
                // The last handle of a task, perhaps.
                drop_nested(waker);
            }
        }
    }
}
