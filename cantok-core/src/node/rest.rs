//! Keeps small programs small. A flag that is only set, checked and dropped needs little code. All other code is called
//! through the pointers here. They are set when a program first makes a token or a waiter that needs them. A program
//! that never does is linked without that code.

use super::{Node, check, polling};
use crate::leaves::{Answer, Condition};
use crate::sync::Arc;
use std::sync::OnceLock;

struct Rest {
    check: fn(&Arc<Node>) -> bool,
    drop: fn(&mut Node),
}

static REST: OnceLock<Rest> = OnceLock::new();

impl Node {
    /// Sets the pointers. Must be called before a node gets a body, a waiter or a cause.
    #[inline]
    pub(super) fn link_rest() {
        if REST.get().is_none() {
            Node::link_rest_once();
        }
    }

    #[cold]
    fn link_rest_once() {
        REST.get_or_init(|| Rest {
            check: Node::check_sources,
            drop: Node::drop_in_full,
        });
    }

    #[inline]
    pub(super) fn check_rest(self: &Arc<Self>) -> bool {
        REST.get().is_some_and(|rest| (rest.check)(self))
    }

    #[inline]
    pub(super) fn drop_rest(&mut self) {
        if let Some(rest) = REST.get() {
            (rest.drop)(self);
        }
    }
}

/// What only conditions need.
pub(super) struct Conditions {
    /// Handles every answer but [`Answer::No`]. Returns whether the condition is satisfied.
    pub(super) conclude: fn(&Arc<Node>, Answer) -> bool,
    pub(super) watch: fn(&Arc<Node>, &Arc<dyn Condition>),
    pub(super) unwatch: fn(&dyn Condition, usize),
}

static CONDITIONS: OnceLock<Conditions> = OnceLock::new();

/// Sets the pointers. Must be called before a node gets a condition.
pub(crate) fn link_conditions() {
    CONDITIONS.get_or_init(|| Conditions {
        conclude: check::conclude,
        watch: polling::watch,
        unwatch: polling::unwatch,
    });
}

/// Returns the pointers, if there ever was a condition.
pub(super) fn conditions() -> Option<&'static Conditions> {
    CONDITIONS.get()
}
