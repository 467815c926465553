//! A subscriber's place in a node's list, for as long as it wants to be told.

use super::{Demand, Kind, Node, Subscriber};
use crate::later::drop_nested;
use crate::sync::Arc;

/// Takes the subscriber out when dropped.
pub(crate) struct Enrolment {
    node: Arc<Node>,
    demand: Demand,
    /// `None`: not in the list, because the node was cancelled before, or never will be.
    slot: Option<usize>,
}

impl Enrolment {
    /// The subscriber is told of every cancel from now on that is pushed to the node. The caller has the node linked
    /// or armed, and only then looks whether it came too late.
    pub(crate) fn new(node: &Arc<Node>, subscriber: Subscriber) -> Self {
        let demand = subscriber.demand();
        let mut enrolment = Enrolment {
            node: Arc::clone(node),
            demand,
            slot: None,
        };
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
        &self.node
    }

    pub(crate) fn is_in(&self) -> bool {
        self.slot.is_some()
    }

    /// Leaves the subscriber where it is for the node's life.
    pub(crate) fn detach(mut self) {
        self.slot = None;
    }
}

impl Drop for Enrolment {
    fn drop(&mut self) {
        if let Some(slot) = self.slot {
            // Whoever takes the subscriber out takes its demand back: the canceller that tells it, or this.
            if let Some(subscriber) = self.node.remove(slot) {
                self.demand.release(&self.node);
                if let Subscriber::Waker(waker) = subscriber {
                    // The last handle of a task, perhaps.
                    drop_nested(waker);
                }
            }
        }
    }
}
