//! Panics of user code, held back until other user code has run.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread;

pub(crate) struct Panic(Box<dyn Any + Send>);

impl Panic {
    pub(crate) fn catch(f: impl FnOnce()) -> Option<Self> {
        // User code cannot leave tokens half changed. What else the closure touches is its author's, who sees the panic
        // resumed, as if nothing had been caught.
        catch_unwind(AssertUnwindSafe(f)).err().map(Panic)
    }

    /// Keeps the first panic. A payload that is not kept is dropped; if that panics in turn, the panic is swallowed.
    pub(crate) fn keep_first(first: &mut Option<Panic>, next: Option<Panic>) {
        match next {
            Some(panic) if first.is_some() => panic.swallow(),
            Some(panic) => *first = Some(panic),
            None => {}
        }
    }

    pub(crate) fn swallow(self) {
        if let Some(Panic(payload)) = Panic::catch(|| drop(self)) {
            // A payload whose drop panics with a payload whose drop may panic, and so on: leaked.
            std::mem::forget(payload);
        }
    }

    /// Goes on with the panic, unless this thread is unwinding already.
    pub(crate) fn resume(self) {
        if thread::panicking() {
            self.swallow();
        } else {
            resume_unwind(self.0);
        }
    }
}
