//! Conditions and counters are polled by checks. This is how they are noticed when nobody checks.

use super::sources::Leaves;
use super::{Node, unattended};
use crate::leaves::{Condition, Counter};
use crate::sync::Arc;
use std::ops::AddAssign;
use std::time::Duration;

/// How many subscribers rely on a node's counters and conditions although nobody may check it.
///
/// A counter in demand cancels its token in the moment its last unit is spent. A condition in demand is polled by
/// the executor.
#[derive(Clone, Copy, Default)]
pub(crate) struct Demand {
    pub(crate) counters: usize,
    pub(crate) conditions: usize,
}

impl Demand {
    /// A thread in `wait`, which polls conditions itself.
    pub(crate) const THREAD: Demand = Demand {
        counters: 1,
        conditions: 0,
    };
    /// A task or a callback.
    pub(crate) const UNATTENDED: Demand = Demand {
        counters: 1,
        conditions: 1,
    };
    /// A call that goes on after its check, in which it has spent its units.
    pub(crate) const CHECKED: Demand = Demand {
        counters: 0,
        conditions: 1,
    };

    /// Adds this demand to all that `node` polls.
    pub(crate) fn add(self, node: &Arc<Node>) {
        if !self.concerns(node) {
            return;
        }
        if self.counters > 0 {
            for found in Leaves::<Counter>::of(&node.sources) {
                found.leaf().add_demand(self.counters);
            }
        }
        if self.conditions > 0 {
            for found in Leaves::<Condition>::of(&node.sources) {
                // Whoever relies on conditions alone has asked them a moment ago, in its check.
                let first = match self.counters {
                    0 => found.leaf().poll_interval(),
                    _ => Duration::ZERO,
                };
                let owner = found.owner().unwrap_or(node);
                unattended::watch(found.leaf(), owner, self.conditions, first);
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
        if self.counters > 0 && self.concerns(node) {
            for found in Leaves::<Counter>::of(&node.sources) {
                found.leaf().release_demand(self.counters);
            }
        }
    }

    pub(super) fn release_conditions(self, node: &Node) {
        if self.conditions > 0 && self.concerns(node) {
            for found in Leaves::<Condition>::of(&node.sources) {
                unattended::unwatch(found.leaf(), self.conditions);
            }
        }
    }

    fn concerns(self, node: &Node) -> bool {
        (self.counters > 0 || self.conditions > 0) && node.state.polls()
    }
}

impl AddAssign for Demand {
    fn add_assign(&mut self, more: Demand) {
        self.counters += more.counters;
        self.conditions += more.conditions;
    }
}
