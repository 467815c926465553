use super::{Outcome, ScopeError};
use crate::panic::Panic;
use crate::{CancellationError, SimpleToken, Token};
use std::error::Error;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;

/// What the threads of a scope share. It is read when all have ended, which orders it after what they wrote.
pub(super) struct Jobs {
    /// A child of the scope's token. The first failure cancels it.
    pub(super) group: SimpleToken,
    has_failed: AtomicBool,
    skipped: AtomicUsize,
    /// Why the first thread was skipped or stopped.
    stopped: OnceLock<CancellationError>,
    panic: Mutex<Option<Panic>>,
}

/// Cancels the group if the scope's closure panics.
pub(super) struct Watched<'a>(pub(super) &'a Jobs);

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.group.cancel_with("the scope panicked");
        }
    }
}

impl Jobs {
    pub(super) fn new(token: &Token) -> Self {
        Jobs {
            group: token.child(),
            has_failed: AtomicBool::new(false),
            skipped: AtomicUsize::new(0),
            stopped: OnceLock::new(),
            panic: Mutex::new(None),
        }
    }

    /// Whether a thread may start. This is the one check for it.
    pub(super) fn may_start(&self) -> bool {
        let Err(error) = self.group.check() else {
            return true;
        };
        let _ = self.stopped.set(error);
        // Relaxed: see `Jobs`.
        self.skipped.fetch_add(1, Ordering::Relaxed);
        false
    }

    /// Runs a thread's closure.
    pub(super) fn run<O: Outcome>(&self, f: impl FnOnce(&Token) -> O) {
        let panic = Panic::catch(|| {
            if let Some(error) = f(&self.group.child()).into_failure() {
                self.fail(error);
            }
        });
        let Some(panic) = panic else { return };
        let mut first = self.panic.lock().unwrap_or_else(PoisonError::into_inner);
        if first.is_none() {
            *first = Some(panic);
            drop(first);
        } else {
            drop(first);
            panic.swallow();
        }
        // A callback may panic too. The thread's panic comes first.
        let cancelled = Panic::catch(|| {
            self.group.cancel_with("a thread panicked");
        });
        if let Some(panic) = cancelled {
            panic.swallow();
        }
    }

    fn fail(&self, error: Box<dyn Error + Send + Sync + 'static>) {
        if self.group.cancel_with(error) {
            // Relaxed: see `Jobs`.
            self.has_failed.store(true, Ordering::Relaxed);
        }
        if let Some(error) = self.group.cancellation() {
            let _ = self.stopped.set(error);
        }
    }

    /// The result of the scope, once all threads have ended.
    ///
    /// # Panics
    ///
    /// With the first panic of a thread.
    pub(super) fn end<T>(&self, value: Option<T>) -> Result<T, ScopeError> {
        let mut panic = self.panic.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(panic) = panic.take() {
            panic.resume();
        }
        let is_started = value.is_some();
        match (value, self.stopped.get()) {
            (Some(value), None) => Ok(value),
            (_, stopped) => Err(ScopeError {
                is_started,
                // Relaxed: see `Jobs`.
                has_failed: self.has_failed.load(Ordering::Relaxed),
                skipped: self.skipped.load(Ordering::Relaxed),
                cancellation: stopped.cloned().unwrap_or_else(|| self.group.latched()),
            }),
        }
    }
}
