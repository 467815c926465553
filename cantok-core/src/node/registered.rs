//! The kinds of waiter, each as itself until it is in the list. There it becomes a [`Waiter`]. An enum that is moved as
//! a whole must be complete in memory first, and waiting for that takes longer than the lock.

use super::Node;
use super::waiters::{Callback, Waiter};
use crate::parker::Parker;
use crate::sync::{Arc, Weak};
use std::mem::forget;
use std::task::Waker;

/// What becomes a [`Waiter`] in the list.
pub(crate) trait Registered: Sized {
    /// Whether conditions must be polled for it, since nothing else may call them.
    const NEEDS_POLLING: bool;

    fn into_waiter(self) -> Waiter;

    /// For a waiter that [`is`](Registered::is) one. Any other is forgotten: with a drop here, even one that never runs,
    /// the waiter would have to be complete in memory.
    fn from_waiter(waiter: Waiter) -> Option<Self>;

    fn is(waiter: &Waiter) -> bool;
}

impl Registered for Waker {
    const NEEDS_POLLING: bool = true;

    fn into_waiter(self) -> Waiter {
        Waiter::Waker(self)
    }

    fn from_waiter(waiter: Waiter) -> Option<Self> {
        match waiter {
            Waiter::Waker(waker) => Some(waker),
            other => {
                forget(other);
                None
            }
        }
    }

    fn is(waiter: &Waiter) -> bool {
        matches!(waiter, Waiter::Waker(_))
    }
}

impl Registered for Callback {
    const NEEDS_POLLING: bool = true;

    fn into_waiter(self) -> Waiter {
        Waiter::Callback(self)
    }

    fn from_waiter(waiter: Waiter) -> Option<Self> {
        match waiter {
            Waiter::Callback(callback) => Some(callback),
            other => {
                forget(other);
                None
            }
        }
    }

    fn is(waiter: &Waiter) -> bool {
        matches!(waiter, Waiter::Callback(_))
    }
}

impl Registered for Arc<Parker> {
    const NEEDS_POLLING: bool = false;

    fn into_waiter(self) -> Waiter {
        Waiter::Thread(self)
    }

    fn from_waiter(waiter: Waiter) -> Option<Self> {
        match waiter {
            Waiter::Thread(parker) => Some(parker),
            other => {
                forget(other);
                None
            }
        }
    }

    fn is(waiter: &Waiter) -> bool {
        matches!(waiter, Waiter::Thread(_))
    }
}

/// A link.
impl Registered for Weak<Node> {
    const NEEDS_POLLING: bool = false;

    fn into_waiter(self) -> Waiter {
        Waiter::Link(self)
    }

    fn from_waiter(waiter: Waiter) -> Option<Self> {
        match waiter {
            Waiter::Link(node) => Some(node),
            other => {
                forget(other);
                None
            }
        }
    }

    fn is(waiter: &Waiter) -> bool {
        matches!(waiter, Waiter::Link(_))
    }
}

impl Registered for Waiter {
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
