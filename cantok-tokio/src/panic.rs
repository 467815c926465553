use std::mem;
use std::panic::{self, AssertUnwindSafe};

/// Runs `f` where a panic must not unwind. The panic hook reports it.
pub(crate) fn swallow(f: impl FnOnce()) {
    if let Err(panic) = panic::catch_unwind(AssertUnwindSafe(f)) {
        // The drop of the payload may panic, too.
        if let Err(panic) = panic::catch_unwind(AssertUnwindSafe(|| drop(panic))) {
            mem::forget(panic);
        }
    }
}
