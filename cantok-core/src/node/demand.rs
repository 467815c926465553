//! Conditions and counters are polled by checks. This is how they are noticed when nobody checks.

use super::sources::Leaves;
use super::{Node, unattended};
use crate::leaves::{Condition, Counter};
use crate::sync::Arc;
use std::ops::AddAssign;

/// How many subscribers rely on a node's conditions and counters although nobody may check it.
///
/// A counter in demand cancels its token in the moment its last unit is spent. A condition in demand is polled by
/// the executor; threads in `wait` poll conditions themselves, so only tasks and callbacks, the unattended ones, count
/// there.
#[derive(Clone, Copy, Default)]
pub(crate) struct Demand {
    pub(crate) threads: usize,
    pub(crate) unattended: usize,
}

impl Demand {
    pub(crate) const THREAD: Demand = Demand {
        threads: 1,
        unattended: 0,
    };
    pub(crate) const UNATTENDED: Demand = Demand {
        threads: 0,
        unattended: 1,
    };

    /// Adds this demand to all that `node` polls.
    pub(crate) fn add(self, node: &Arc<Node>) {
        if !self.concerns(node) {
            return;
        }
        for found in Leaves::<Counter>::of(&node.sources) {
            found.leaf().add_demand(self.threads + self.unattended);
        }
        if self.unattended > 0 {
            for found in Leaves::<Condition>::of(&node.sources) {
                unattended::watch(found.leaf(), found.owner().unwrap_or(node), self.unattended);
            }
        }
    }

    /// Takes it back.
    pub(crate) fn release(self, node: &Node) {
        self.release_counters(node);
        self.release_conditions(node);
    }

    /// The part of [`Demand::release`] that takes no lock.
    pub(super) fn release_counters(self, node: &Node) {
        if self.concerns(node) {
            for found in Leaves::<Counter>::of(&node.sources) {
                found.leaf().release_demand(self.threads + self.unattended);
            }
        }
    }

    pub(super) fn release_conditions(self, node: &Node) {
        if self.unattended > 0 && self.concerns(node) {
            for found in Leaves::<Condition>::of(&node.sources) {
                unattended::unwatch(found.leaf(), self.unattended);
            }
        }
    }

    fn concerns(self, node: &Node) -> bool {
        (self.threads > 0 || self.unattended > 0) && node.state.polls()
    }
}

impl AddAssign for Demand {
    fn add_assign(&mut self, more: Demand) {
        self.threads += more.threads;
        self.unattended += more.unattended;
    }
}
