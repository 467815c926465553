//! What the timer and the executor have in common: a thread, one for the process and started when first needed, and a
//! schedule until whose next entry it sleeps.

use crate::sync::{AtomicBool, Condvar, Mutex, MutexGuard, Ordering, lock, wait, wait_for};
use std::collections::BTreeMap;
use std::time::Instant;
use std::{io, thread};

/// A thread, and what it shares with those who give it work.
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
    pub(crate) fn start(&self) -> io::Result<()> {
        // Relaxed, here and below: it stays true, and what the thread works on is behind the lock. Whoever waits again
        // and again comes past here each time, on every core.
        if self.is_running.load(Ordering::Relaxed) {
            return Ok(());
        }
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

/// When something is due, and a number that keeps apart what is due at the same instant.
pub(crate) type Due = (Instant, u64);

/// What is due at which instant.
pub(crate) struct Schedule<T> {
    entries: BTreeMap<Due, T>,
    next_id: u64,
}

impl<T> Schedule<T> {
    pub(crate) const fn new() -> Self {
        Schedule {
            entries: BTreeMap::new(),
            next_id: 0,
        }
    }

    /// Tells under which name the entry stands, and whether it is the first of all now.
    pub(crate) fn insert(&mut self, at: Instant, entry: T) -> (Due, bool) {
        let due = (at, self.next_id);
        self.next_id += 1;
        self.entries.insert(due, entry);
        (due, self.entries.keys().next() == Some(&due))
    }

    pub(crate) fn remove(&mut self, due: Due) -> Option<T> {
        self.entries.remove(&due)
    }

    /// Takes out the first entry whose instant has passed.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<(Due, T)> {
        let first = self.entries.first_entry()?;
        (first.key().0 <= now).then(|| first.remove_entry())
    }

    /// When the first entry is due.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.entries.keys().next().map(|due| due.0)
    }
}
