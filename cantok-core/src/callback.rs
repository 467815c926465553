//! A function that is told of a cancel: run once or never, and its end can be waited for.

use crate::CancellationError;
use crate::later::drop_nested;
use crate::sync::{Condvar, Mutex, ThreadKey, lock, wait};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread;

type Function = Box<dyn FnOnce(&CancellationError) + Send>;

pub(crate) struct Callback {
    stage: Mutex<Stage>,
    finished: Condvar,
}

enum Stage {
    Pending(Function),
    Running {
        on: ThreadKey,
        /// Somebody waits for the end. Without, nobody is woken, which would be a system call for each callback.
        awaited: bool,
    },
    Finished,
}

impl Callback {
    pub(crate) fn new(function: impl FnOnce(&CancellationError) + Send + 'static) -> Self {
        Callback {
            stage: Mutex::new(Stage::Pending(Box::new(function))),
            finished: Condvar::new(),
        }
    }

    /// Runs the function, unless it was revoked. A panic is caught and returned.
    pub(crate) fn run(&self, error: &CancellationError) -> Option<Panic> {
        let function = self.replace(Stage::Running {
            on: ThreadKey::current(),
            awaited: false,
        })?;
        let panic = Panic::catch(move || function(error));
        let ran = std::mem::replace(&mut *lock(&self.stage), Stage::Finished);
        if matches!(ran, Stage::Running { awaited: true, .. }) {
            self.finished.notify_all();
        }
        panic
    }

    /// Makes sure that the function will never start. `false`: it has started before. It is dropped here, outside
    /// the lock.
    pub(crate) fn revoke(&self) -> bool {
        let function = self.replace(Stage::Finished);
        let revoked = function.is_some();
        drop_nested(function);
        revoked
    }

    /// Waits until the function has finished, if it is running on another thread.
    pub(crate) fn wait_until_finished(&self) {
        let mut stage = lock(&self.stage);
        while let Stage::Running { on, awaited } = &mut *stage {
            if *on == ThreadKey::current() {
                return;
            }
            *awaited = true;
            stage = wait(&self.finished, stage);
        }
    }

    /// Takes the function out, if it is still there.
    fn replace(&self, by: Stage) -> Option<Function> {
        let mut stage = lock(&self.stage);
        if !matches!(*stage, Stage::Pending(_)) {
            return None;
        }
        match std::mem::replace(&mut *stage, by) {
            Stage::Pending(function) => Some(function),
            Stage::Running { .. } | Stage::Finished => None,
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
