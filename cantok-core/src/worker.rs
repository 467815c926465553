//! What the crate's threads have in common: there is one of each in the process, it starts when first needed, and a
//! forked process has none of them.

use crate::clock;
use crate::sync::{AtomicU32, Condvar, Mutex, MutexGuard, Ordering, lock, try_lock, wait_for};
use std::time::{Duration, Instant};
use std::{io, process, thread};

/// A thread, and what it shares with the threads that give it work.
pub(crate) struct Worker<S> {
    thread: Thread,
    shared: Mutex<S>,
    changed: Condvar,
}

/// What does not depend on what is shared.
struct Thread {
    name: &'static str,
    run: fn(),
    /// The process in which the thread was started, or 0. Written under the worker's lock. Relaxed, since what the
    /// thread works on is behind that lock.
    process: AtomicU32,
}

impl Thread {
    fn start(&self) -> io::Result<()> {
        if !self.runs_here() {
            thread::Builder::new()
                .name(self.name.to_owned())
                .spawn(self.run)?;
            self.process.store(process::id(), Ordering::Relaxed);
        }
        Ok(())
    }

    fn runs_here(&self) -> bool {
        let process = self.process.load(Ordering::Relaxed);
        process != 0 && process == process::id()
    }

    fn is_forked(&self) -> bool {
        self.process.load(Ordering::Relaxed) != 0 && !self.runs_here()
    }
}

impl<S> Worker<S> {
    /// Makes a worker whose thread has that name and only calls `run`, which does not return.
    #[cfg(not(cantok_loom))]
    pub(crate) const fn new(name: &'static str, run: fn(), shared: S) -> Self {
        Worker {
            thread: Thread {
                name,
                run,
                process: AtomicU32::new(0),
            },
            shared: Mutex::new(shared),
            changed: Condvar::new(),
        }
    }

    /// Makes a worker for a model, whose thread the model starts itself.
    #[cfg(cantok_loom)]
    pub(crate) fn for_model() -> Self
    where
        S: Default,
    {
        Worker {
            thread: Thread {
                name: "",
                run: || {},
                process: AtomicU32::new(0),
            },
            shared: Mutex::new(S::default()),
            changed: Condvar::new(),
        }
    }

    /// Starts the thread if it was never started. Does not notice a fork, which would take a system call.
    ///
    /// # Errors
    ///
    /// If the operating system refuses a thread.
    #[inline]
    pub(crate) fn start(&self) -> io::Result<()> {
        // Relaxed: see `Thread`. Every wait loads this, on every core.
        if self.thread.process.load(Ordering::Relaxed) == 0 {
            return self.start_here();
        }
        Ok(())
    }

    /// Starts the thread unless it runs in this process.
    ///
    /// # Errors
    ///
    /// If the operating system refuses a thread, or if the process was forked while another thread held the lock.
    #[cold]
    pub(crate) fn start_here(&self) -> io::Result<()> {
        let Some(_one_at_a_time) = self.lock_unless_forked() else {
            return Err(io::Error::other("forked while cantok's lock was held"));
        };
        self.thread.start()
    }

    /// Whether the thread was started in a process from which this one was forked.
    pub(crate) fn is_forked(&self) -> bool {
        self.thread.is_forked()
    }

    /// Takes the lock. Never returns in a process that was forked while another thread held it.
    pub(crate) fn lock(&self) -> MutexGuard<'_, S> {
        lock(&self.shared)
    }

    /// Takes the lock, on another thread. `None` if the process was forked while the lock was held, which nothing will
    /// release.
    pub(crate) fn lock_unless_forked(&self) -> Option<MutexGuard<'_, S>> {
        self.lock_beside(&self.shared)
    }

    /// [`Worker::lock_unless_forked`] for another lock that the worker's thread takes.
    pub(crate) fn lock_beside<'a, T>(&self, mutex: &'a Mutex<T>) -> Option<MutexGuard<'a, T>> {
        match try_lock(mutex) {
            None if self.is_forked() => None,
            None => Some(lock(mutex)),
            locked => locked,
        }
    }

    /// Wakes the thread. Call it after a change under the lock.
    pub(crate) fn wake(&self) {
        self.changed.notify_one();
    }

    /// Makes the worker's thread, which is the caller, sleep until it is woken, or until the instant, if there is one.
    /// May return early.
    pub(crate) fn sleep<'a>(
        &self,
        shared: MutexGuard<'a, S>,
        until: Option<Instant>,
    ) -> MutexGuard<'a, S> {
        let limit = until.map_or(Duration::MAX, |until| {
            until.saturating_duration_since(clock::now())
        });
        wait_for(&self.changed, shared, limit)
    }
}
