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

macro_rules! registered {
    ($type:ty, $variant:ident, needs_polling: $needs_polling:literal) => {
        impl Registered for $type {
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

registered!(Waker, Waker, needs_polling: true);
registered!(Callback, Callback, needs_polling: true);
registered!(Arc<Parker>, Thread, needs_polling: false);
registered!(Weak<Node>, Link, needs_polling: false);

/// Any other waiter, which no task or callback waits with.
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
