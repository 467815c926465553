//! Keeps small programs small. A flag that is only set, checked and dropped needs little code. All other code is called
//! through the pointers here. They are set when a program first makes a token or a waiter that needs them. A program
//! that never does is linked without that code.
//!
//! For the same reason rare code with several callers is `#[inline(never)]`, here and elsewhere.

use super::Node;
use super::closure::Answer;
use super::fired::Found;
use super::remains::Remains;
use super::sources::{Depth, Visitor};
use super::waiter::Waiter;
use crate::leaves::MovingDeadline;
use crate::panic::Panic;
use crate::sync::Arc;
use std::sync::OnceLock;
use std::time::Instant;

struct Rest {
    check: fn(&Arc<Node>) -> bool,
    refuse: fn(&Arc<Node>, &Arc<Node>) -> bool,
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
            check: Node::check_in_full,
            refuse: Node::refuse,
            drop: Node::drop_in_full,
        });
    }

    /// [`Node::check_in_full`], through the pointer.
    #[cold]
    pub(super) fn check_rest(self: &Arc<Self>) -> bool {
        REST.get().is_some_and(|rest| (rest.check)(self))
    }

    /// [`Node::refuse`], through the pointer.
    #[cold]
    pub(super) fn refuse_rest(self: &Arc<Self>, counter: &Arc<Node>) -> bool {
        REST.get().is_some_and(|rest| (rest.refuse)(self, counter))
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
    pub(super) take_answer: fn(&Arc<Node>, Answer) -> bool,
    pub(super) watch: fn(&Arc<Node>),
    pub(super) unwatch: fn(&Node, usize),
}

static CONDITIONS: OnceLock<Conditions> = OnceLock::new();

/// Sets the pointers. Must be called before a node gets a condition.
pub(crate) fn link_conditions() {
    CONDITIONS.get_or_init(|| Conditions {
        take_answer: Node::take_answer,
        watch: Node::watch_condition,
        unwatch: Node::unwatch_condition,
    });
}

/// Returns the pointers, if there ever was a condition.
pub(super) fn conditions() -> Option<&'static Conditions> {
    CONDITIONS.get()
}

/// What only callbacks need.
pub(super) struct Callbacks {
    pub(super) run: fn(&Arc<Node>, u32, &mut Option<Panic>) -> Option<u32>,
    pub(super) bequeath: fn(&Node, Vec<Waiter>, &mut Remains),
}

static CALLBACKS: OnceLock<Callbacks> = OnceLock::new();

/// Sets the pointers. Must be called before a callback is registered.
pub(crate) fn link_callbacks() {
    CALLBACKS.get_or_init(|| Callbacks {
        run: Node::run_callback,
        bequeath: Node::bequeath,
    });
}

/// Returns the pointers, if there ever was a callback.
pub(super) fn callbacks() -> Option<&'static Callbacks> {
    CALLBACKS.get()
}

/// What only deadlines that move need.
pub(super) struct Moving {
    pub(super) find: for<'a> fn(&'a Arc<Node>, Depth, Instant) -> Option<Found<'a>>,
    pub(super) visit: for<'a> fn(&'a Arc<Node>, Depth, Visitor<'a, '_>),
    /// Returns the node's own deadline at this moment.
    pub(super) at: fn(&Node) -> Option<Instant>,
    /// Handles the timer's alarm. Returns whether the deadline has expired.
    pub(super) expire: fn(&Arc<Node>, Instant) -> bool,
}

static MOVING: OnceLock<Moving> = OnceLock::new();

/// Sets the pointers. Must be called before a node gets a deadline that moves.
pub(super) fn link_moving() {
    MOVING.get_or_init(|| Moving {
        find: |node, depth, now| node.find_moving(depth, now, MovingDeadline::expire),
        visit: Node::visit_moving,
        at: |node| node.moving()?.get(),
        expire: Node::expire_moving,
    });
}

/// Returns the pointers, if there ever was a deadline that moves.
pub(super) fn moving() -> Option<&'static Moving> {
    MOVING.get()
}
