use crate::panic::swallow;
use cantok_core::Token;
use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;
#[cfg(feature = "rayon")]
use std::sync::atomic::{Ordering, fence};
use std::thread;

/// Work that can be given up before it starts.
pub(super) trait Unstarted: Send + Sync {
    /// Returns the rest of the work. The caller drops it, which runs user code.
    fn give_up(&self) -> Option<Box<dyn Send + '_>>;
}

/// The token of some work. Dropping this cancels it, unless the work has ended.
pub(super) struct CancelOnDrop {
    token: Token,
    unstarted: Option<Arc<dyn Unstarted>>,
    is_armed: bool,
}

impl CancelOnDrop {
    /// Guards a new child of `token`.
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

    /// Makes the drop give up the work before it cancels the token.
    pub(super) fn give_up_on_drop(&mut self, unstarted: Arc<dyn Unstarted>) {
        self.unstarted = Some(unstarted);
    }

    /// Returns `true` if the work has ended: its output was returned, or this holds the only reference to it.
    #[cfg(feature = "rayon")]
    pub(super) fn has_ended(&self) -> bool {
        let is_released = (self.unstarted.as_ref()).is_none_or(|work| Arc::strong_count(work) == 1);
        // Pairs with the release in the drop of the other reference, so that this thread sees what came before it.
        fence(Ordering::Acquire);
        is_released || !self.is_armed
    }

    pub(super) fn disarm(&mut self) {
        self.is_armed = false;
    }

    /// Cancels for failed work. The failure itself is reported, so the panic of a callback is not.
    pub(super) fn cancel(&mut self, reason: &'static str) {
        self.disarm();
        swallow(|| {
            self.token.cancel_with(reason);
        });
    }
}

/// The rest of work that was given up.
struct GivenUp<'a>(Option<Box<dyn Send + 'a>>);

impl Drop for GivenUp<'_> {
    fn drop(&mut self) {
        let left = self.0.take();
        if thread::panicking() {
            // A second panic would abort the process.
            swallow(|| drop(left));
        }
    }
}

// The work is only taken out, and only once.
impl UnwindSafe for CancelOnDrop {}
impl RefUnwindSafe for CancelOnDrop {}

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        if !self.is_armed {
            return;
        }
        // Given up before the cancel, so that it cannot start. Dropped after the cancel, even if that panics.
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
