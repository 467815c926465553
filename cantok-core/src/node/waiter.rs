//! The kinds of waiter. Each is itself until it is in the list, where it becomes a [`Waiter`]. An enum that is moved as a
//! whole must be complete in memory first, and waiting for that takes longer than the lock.

use super::Node;
use crate::CancellationError;
use crate::parker::Parker;
use crate::sync::{Arc, ThreadKey, Weak};
use std::mem::forget;
use std::task::Waker;

/// A closure of `on_cancel`.
pub(crate) type Callback = Box<dyn FnOnce(&CancellationError) + Send>;

/// Something that is notified once.
pub(crate) enum Waiter {
    /// A node that watches this one and is cancelled with it.
    Link(Weak<Node>),
    /// A thread in `wait`, which watches the deadline and the conditions itself.
    Thread(Arc<Parker>),
    /// A task.
    Waker(Waker),
    /// Stays in the list until it is called, so that it can be unregistered.
    Callback(Callback),
    /// In place of a callback that this thread is calling.
    Running(ThreadKey),
    /// The node itself, which has a detached callback (invariant 8).
    Itself(Arc<Node>),
    /// What is left of a dropped node that watched this one: a node without edges, with the detached callbacks. Several
    /// nodes may own it.
    Heir(Arc<Node>),
    /// In an heir: a node that owns it, and under which key.
    Owner(Weak<Node>, u32),
}

impl Waiter {
    /// Whether it is a node that is cancelled with this one.
    pub(super) fn is_link(&self) -> bool {
        matches!(self, Waiter::Link(_) | Waiter::Heir(_))
    }

    /// That node, if it still exists.
    pub(super) fn below(&self) -> Option<Arc<Node>> {
        match self {
            Waiter::Link(node) => node.upgrade(),
            Waiter::Heir(node) => Some(Arc::clone(node)),
            _ => None,
        }
    }

    /// Whether a cancel takes it out of the list to notify it. Links and callbacks stay until their turn.
    pub(super) fn is_taken(&self) -> bool {
        matches!(
            self,
            Waiter::Thread(_) | Waiter::Waker(_) | Waiter::Itself(_) | Waiter::Owner(..)
        )
    }

    /// Whether conditions must be polled for it, since nothing else may call them.
    pub(super) fn needs_polling(&self) -> bool {
        matches!(self, Waiter::Waker(_) | Waiter::Callback(_))
    }
}

/// What becomes a [`Waiter`] in the list.
pub(crate) trait WaiterKind: Sized {
    /// Whether conditions must be polled for it, since nothing else may call them.
    const NEEDS_POLLING: bool;

    fn into_waiter(self) -> Waiter;

    /// For a waiter that [`is`](WaiterKind::is) one. Any other is forgotten: with a drop here, even one that never runs,
    /// the waiter would have to be complete in memory.
    fn from_waiter(waiter: Waiter) -> Option<Self>;

    fn is(waiter: &Waiter) -> bool;
}

macro_rules! waiter_kind {
    ($type:ty, $variant:ident, needs_polling: $needs_polling:literal) => {
        impl WaiterKind for $type {
            const NEEDS_POLLING: bool = $needs_polling;

            fn into_waiter(self) -> Waiter {
                Waiter::$variant(self)
            }

            fn from_waiter(waiter: Waiter) -> Option<Self> {
                match waiter {
                    Waiter::$variant(waiter) => Some(waiter),
                    other => {
                        forget(other);
                        None
                    }
                }
            }

            fn is(waiter: &Waiter) -> bool {
                matches!(waiter, Waiter::$variant(_))
            }
        }
    };
}

waiter_kind!(Waker, Waker, needs_polling: true);
waiter_kind!(Callback, Callback, needs_polling: true);
waiter_kind!(Arc<Parker>, Thread, needs_polling: false);
waiter_kind!(Weak<Node>, Link, needs_polling: false);

/// Any other waiter, which no task or callback waits with.
impl WaiterKind for Waiter {
    const NEEDS_POLLING: bool = false;

    fn into_waiter(self) -> Waiter {
        self
    }

    fn from_waiter(waiter: Waiter) -> Option<Self> {
        Some(waiter)
    }

    fn is(_: &Waiter) -> bool {
        true
    }
}
