//! What the timer and the background have in common: a thread, one for the process, started when it is first needed.

use crate::sync::{AtomicBool, Condvar, Mutex, MutexGuard, Ordering, lock, wait, wait_for};
use std::time::Instant;
use std::{io, thread};

/// A thread, and what it shares with those that give it work.
pub(crate) struct Worker<S> {
    name: &'static str,
    run: fn(),
    shared: Mutex<S>,
    changed: Condvar,
    /// Whether the thread was started. Becomes true under the lock.
    is_running: AtomicBool,
}

impl<S> Worker<S> {
    /// A thread of that name that will do nothing but `run`, which does not return.
    pub(crate) const fn new(name: &'static str, run: fn(), shared: S) -> Self {
        Worker {
            name,
            run,
            shared: Mutex::new(shared),
            changed: Condvar::new(),
            is_running: AtomicBool::new(false),
        }
    }

    /// Starts the thread, if it does not run yet.
    ///
    /// # Errors
    ///
    /// When the operating system refuses a thread.
    #[inline]
    pub(crate) fn start(&self) -> io::Result<()> {
        // Relaxed, here and below: it stays true, and what the thread works on is behind the lock. Every wait comes
        // past here, on every core.
        if self.is_running.load(Ordering::Relaxed) {
            Ok(())
        } else {
            self.start_once()
        }
    }

    #[cold]
    fn start_once(&self) -> io::Result<()> {
        let _one_at_a_time = self.lock();
        if !self.is_running.load(Ordering::Relaxed) {
            thread::Builder::new()
                .name(self.name.to_owned())
                .spawn(self.run)?;
            self.is_running.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, S> {
        lock(&self.shared)
    }

    /// Wakes the thread, after what it sleeps on was changed under the lock.
    pub(crate) fn wake(&self) {
        self.changed.notify_one();
    }

    /// Has the thread, which is the caller, sleep until it is woken, or until the instant, if there is one. May return
    /// early.
    pub(crate) fn sleep<'a>(
        &self,
        shared: MutexGuard<'a, S>,
        until: Option<Instant>,
    ) -> MutexGuard<'a, S> {
        match until {
            None => wait(&self.changed, shared),
            Some(until) => {
                let limit = until.saturating_duration_since(Instant::now());
                wait_for(&self.changed, shared, limit)
            }
        }
    }
}
