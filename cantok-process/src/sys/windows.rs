//! Systems without signals: a cancel ends the child at once.
//!
//! # Invariants
//!
//! 1. **One verdict.** The cancel decides under the lock whether the child had ended by itself.
//! 2. **No cancel is missed.** If the cancel comes before the child exists, [`Ending::started`] ends the child.

use crate::Settings;
use shared_child::SharedChild;
use std::io;
use std::process::{Child, ExitStatus};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A child that one thread can end while another thread waits for it.
pub(crate) type Process = Arc<SharedChild>;

pub(crate) fn share(child: Child) -> io::Result<Process> {
    SharedChild::new(child).map(Arc::new)
}

/// Returns the child. No other handle may be left.
pub(crate) fn unshare(process: Process) -> Child {
    match Arc::try_unwrap(process) {
        Ok(process) => process.into_inner(),
        Err(_) => unreachable!("the ending has given it up"),
    }
}

/// What a cancel does to a child. Its wakers and its waiters share this.
#[derive(Debug)]
pub(crate) struct Ending {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    process: Option<Process>,
    is_cancelled: bool,
    /// The child had not ended by itself when the cancel came.
    is_ended: bool,
}

impl State {
    fn end(&mut self) {
        if let Some(process) = &self.process {
            if !matches!(process.try_wait(), Ok(Some(_))) {
                self.is_ended = true;
                let _ = process.kill();
            }
        }
    }
}

impl Ending {
    pub(crate) fn new(_: &Settings) -> Self {
        Ending {
            state: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Call this once the child was started.
    pub(crate) fn started(&self, process: &Process) {
        let mut state = self.state();
        state.process = Some(Arc::clone(process));
        if state.is_cancelled {
            state.end();
        }
    }

    pub(crate) fn ask(&self) {
        let mut state = self.state();
        if !state.is_cancelled {
            state.is_cancelled = true;
            state.end();
        }
    }

    /// Has no effect, since the cancel has already ended the child.
    pub(crate) fn kill(&self) {}

    /// Returns whether the cancel came before the child's own end.
    pub(crate) fn has_ended_child(&self) -> bool {
        self.state().is_ended
    }

    pub(crate) fn wait(&self, process: &mut Process) -> io::Result<ExitStatus> {
        process.wait()
    }

    pub(crate) fn try_wait(&self, process: &mut Process) -> io::Result<Option<ExitStatus>> {
        process.try_wait()
    }

    /// Gives the child up. After this, a cancel does not end it.
    pub(crate) fn give_up(&self) {
        self.state().process = None;
    }
}

/// Only its own poll can end a child of tokio.
#[cfg(feature = "tokio")]
impl Ending {
    pub(crate) fn begin_reading(&self) {}

    pub(crate) fn end_reading(&self) {}

    pub(crate) fn is_group_left(&self) -> bool {
        false
    }

    pub(crate) fn end_by(&self, kill: impl FnOnce() -> io::Result<()>) {
        let mut state = self.state();
        if !state.is_ended {
            state.is_ended = kill().is_ok();
        }
    }
}
