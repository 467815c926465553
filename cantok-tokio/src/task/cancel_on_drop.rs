use crate::panic::swallow;
use cantok_core::Token;
use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;
use std::thread;

/// Work that is given up if it has not started.
pub(super) trait Unstarted: Send + Sync {
    /// What is left of it is dropped by the caller, since that is user code.
    fn give_up(&self) -> Option<Box<dyn Send + '_>>;
}

/// The token of some work. Cancels it when dropped, with a reason that says so, unless the work is done.
pub(super) struct CancelOnDrop {
    token: Token,
    unstarted: Option<Arc<dyn Unstarted>>,
    is_armed: bool,
}

impl CancelOnDrop {
    /// Of a new child of `token`.
    pub(super) fn child_of(token: Token) -> Self {
        CancelOnDrop {
            token: token.child().into(),
            unstarted: None,
            is_armed: true,
        }
    }

    pub(super) fn token(&self) -> &Token {
        &self.token
    }

    /// Has that given up, before the token is cancelled, when this is dropped.
    pub(super) fn give_up_on_drop(&mut self, unstarted: Arc<dyn Unstarted>) {
        self.unstarted = Some(unstarted);
    }

    pub(super) fn disarm(&mut self) {
        self.is_armed = false;
    }

    /// Cancels on behalf of work that has failed. It is the failure that is reported, so a panic of a callback is not.
    pub(super) fn cancel(&mut self, reason: &'static str) {
        self.disarm();
        swallow(|| {
            self.token.cancel_with(reason);
        });
    }
}

/// What is left of work that was given up.
struct GivenUp<'a>(Option<Box<dyn Send + 'a>>);

impl Drop for GivenUp<'_> {
    fn drop(&mut self) {
        let left = self.0.take();
        if thread::panicking() {
            // A second panic would end the process.
            swallow(|| drop(left));
        }
    }
}

// What waits for a thread is only ever taken out, by one of two.
impl UnwindSafe for CancelOnDrop {}
impl RefUnwindSafe for CancelOnDrop {}

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        if !self.is_armed {
            return;
        }
        // Before the cancel, so that it does not start any more; dropped after it, or by its panic.
        let _unstarted = GivenUp(self.unstarted.as_ref().and_then(|work| work.give_up()));
        self.token
            .cancel_with("the future that waits for the work was dropped");
    }
}

impl fmt::Debug for CancelOnDrop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.token.fmt(f)
    }
}
