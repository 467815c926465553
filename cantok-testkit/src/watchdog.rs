//! The bound that every wait in the tests has.

use std::panic;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

/// Runs `f` on a thread of its own and returns its value, or resumes its panic.
///
/// # Panics
///
/// With the message `what` when `f` has not returned after 60 seconds.
pub fn watchdog<T: Send + 'static>(what: &str, f: impl FnOnce() -> T + Send + 'static) -> T {
    let (running, done) = mpsc::channel::<()>();
    let worker = thread::spawn(move || {
        // Dropped when `f` returns or panics, which disconnects the channel.
        let _running = running;
        f()
    });
    if done.recv_timeout(Duration::from_secs(60)) == Err(RecvTimeoutError::Timeout) {
        panic!("no end after 60 s: {what}");
    }
    worker
        .join()
        .unwrap_or_else(|panic| panic::resume_unwind(panic))
}
