//! A function that is told of a cancel: run once or never, and its end can be waited for.

use crate::CancellationError;
use crate::later::drop_nested;
use crate::sync::{Condvar, Mutex, ThreadKey, lock, wait};
use std::any::Any;
use std::panic::{AssertUnwindSafe, RefUnwindSafe, UnwindSafe, catch_unwind, resume_unwind};
use std::thread;

/// A function that is called once, or revoked. In one allocation with the closure, because whoever cancels many tokens
/// pays for each cache line.
pub(crate) struct Callback<F> {
    stage: Mutex<Stage<F>>,
    finished: Condvar,
}

enum Stage<F> {
    Pending {
        function: F,
        /// Whether anybody may ask for [`Call::wait_until_finished`].
        can_be_awaited: bool,
    },
    Running {
        on: ThreadKey,
        /// Somebody waits for the end. Without, nobody is woken, which would be a system call for each callback.
        is_awaited: bool,
    },
    /// Finished, or revoked, or running if nobody may wait for it.
    Done,
}

/// A [`Callback`], whatever its closure.
pub(crate) trait Call: Send + Sync + UnwindSafe + RefUnwindSafe {
    /// Runs the function, unless it was revoked. A panic is caught and returned.
    fn run(&self, error: &CancellationError) -> Option<Panic>;
    /// Makes sure that the function will never start. `false`: it has started before. It is dropped here, outside
    /// the lock.
    fn revoke(&self) -> bool;
    /// Waits until the function has finished, if it is running on another thread.
    fn wait_until_finished(&self);
}

impl<F> Callback<F> {
    pub(crate) fn new(function: F, can_be_awaited: bool) -> Self {
        Callback {
            stage: Mutex::new(Stage::Pending {
                function,
                can_be_awaited,
            }),
            finished: Condvar::new(),
        }
    }

    /// Takes the function out, if it is still there. Tells whether its end may be awaited.
    fn take(&self, by: impl FnOnce(bool) -> Stage<F>) -> Option<(F, bool)> {
        let mut stage = lock(&self.stage);
        let Stage::Pending { can_be_awaited, .. } = *stage else {
            return None;
        };
        match std::mem::replace(&mut *stage, by(can_be_awaited)) {
            Stage::Pending { function, .. } => Some((function, can_be_awaited)),
            Stage::Running { .. } | Stage::Done => None,
        }
    }
}

impl<F: FnOnce(&CancellationError) + Send + 'static> Call for Callback<F> {
    fn run(&self, error: &CancellationError) -> Option<Panic> {
        let (function, can_be_awaited) = self.take(|can_be_awaited| {
            if can_be_awaited {
                Stage::Running {
                    on: ThreadKey::current(),
                    is_awaited: false,
                }
            } else {
                Stage::Done
            }
        })?;
        let panic = Panic::catch(move || function(error));
        if !can_be_awaited {
            return panic;
        }
        let ran = std::mem::replace(&mut *lock(&self.stage), Stage::Done);
        if matches!(
            ran,
            Stage::Running {
                is_awaited: true,
                ..
            }
        ) {
            self.finished.notify_all();
        }
        panic
    }

    fn revoke(&self) -> bool {
        let function = self.take(|_| Stage::Done);
        let revoked = function.is_some();
        drop_nested(function);
        revoked
    }

    fn wait_until_finished(&self) {
        let mut stage = lock(&self.stage);
        while let Stage::Running { on, is_awaited } = &mut *stage {
            if *on == ThreadKey::current() {
                return;
            }
            *is_awaited = true;
            stage = wait(&self.finished, stage);
        }
    }
}

/// A panic of user code, held back until other user code has run.
pub(crate) struct Panic(Box<dyn Any + Send>);

impl Panic {
    pub(crate) fn catch(f: impl FnOnce()) -> Option<Self> {
        // The tokens cannot be left half changed by user code; what else the closure touches is its author's, who
        // sees the panic resumed, as if nothing had been caught.
        catch_unwind(AssertUnwindSafe(f)).err().map(Panic)
    }

    /// Keeps the first panic. A payload that is not kept is dropped, and may itself panic: that is forgotten.
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
