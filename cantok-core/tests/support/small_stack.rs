//! A thread with as little stack as any platform gives by default.

use std::panic;
use std::thread;

use cantok_testkit::watchdog;

/// As [`watchdog`], on a stack of 256 KiB.
pub(crate) fn small_stack<T: Send + 'static>(
    what: &str,
    f: impl FnOnce() -> T + Send + 'static,
) -> T {
    watchdog(what, move || {
        thread::Builder::new()
            .stack_size(256 * 1024)
            .spawn(f)
            .expect("a thread of 256 KiB")
            .join()
            .unwrap_or_else(|panic| panic::resume_unwind(panic))
    })
}
