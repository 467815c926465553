use std::mem;
use std::panic::{self, AssertUnwindSafe};

/// Runs `f` where a panic has nowhere to go. The panic hook has reported it.
pub(crate) fn swallow(f: impl FnOnce()) {
    if let Err(panic) = panic::catch_unwind(AssertUnwindSafe(f)) {
        // What was thrown may panic when it is dropped.
        if let Err(panic) = panic::catch_unwind(AssertUnwindSafe(|| drop(panic))) {
            mem::forget(panic);
        }
    }
}
