//! Where a future keeps the waker that its token is to wake.
//!
//! # Invariants
//!
//! 1. A future that has returned `Pending` is subscribed to its token with the waker of that poll, and has found the
//!    token not cancelled after it subscribed. So no cancel falls between a look and a subscription: `cantok-core`
//!    tells whoever is in its list, and whoever comes too late to it.
//! 2. A future that is done, or dropped, is not subscribed.
//! 3. A poll with the waker of the poll before neither allocates nor takes a lock.

use cantok_core::{CancellationError, Subscription, Token};
use std::fmt;
use std::task::Waker;

/// Empty, or subscribed with one waker.
#[derive(Default)]
pub(crate) struct WakerSlot {
    subscription: Option<Subscription>,
}

impl WakerSlot {
    /// Subscribes with that waker, unless it is subscribed already (invariant 3), and looks at the token afterwards:
    /// `true` if there is something to wait for (invariant 1).
    pub(crate) fn waits(
        &mut self,
        token: &Token,
        waker: &Waker,
        subscribe: impl FnOnce(&Token, &Waker) -> Subscription,
    ) -> bool {
        let before = self.subscription.as_ref();
        if !before.is_some_and(|before| before.will_wake(waker)) {
            // The one before ends after that: a condition that nobody relies on in between would begin its interval
            // anew.
            self.subscription = Some(subscribe(token, waker));
        }
        !token.looks_cancelled()
    }

    /// Ends the subscription (invariant 2).
    pub(crate) fn clear(&mut self) {
        self.subscription = None;
    }
}

/// The error of a token that is cancelled.
pub(crate) fn cause_of(token: &Token) -> CancellationError {
    match token.cause() {
        Some(error) => error,
        None => unreachable!("a cancelled token has a cause"),
    }
}

impl fmt::Debug for WakerSlot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.subscription {
            Some(_) => "subscribed",
            None => "empty",
        })
    }
}
