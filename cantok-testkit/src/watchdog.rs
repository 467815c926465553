//! The bound that every wait in the tests has.

use std::panic;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

/// Wine's locks are slow.
const LIMIT: Duration = Duration::from_secs(if cfg!(windows) { 300 } else { 60 });

/// Runs `f` on a thread of its own and returns its value, or resumes its panic.
///
/// # Panics
///
/// With the message `what` when `f` has not returned after 60 seconds, or 300 on Windows.
pub fn watchdog<T: Send + 'static>(what: &str, f: impl FnOnce() -> T + Send + 'static) -> T {
    let (running, done) = mpsc::channel::<()>();
    let worker = thread::spawn(move || {
        // Dropped when `f` returns or panics, which disconnects the channel.
        let _running = running;
        f()
    });
    if done.recv_timeout(LIMIT) == Err(RecvTimeoutError::Timeout) {
        panic!("no end after {LIMIT:?}: {what}");
    }
    worker
        .join()
        .unwrap_or_else(|panic| panic::resume_unwind(panic))
}
