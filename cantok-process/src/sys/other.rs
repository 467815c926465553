//! Systems without signals: a cancel ends the child at once.
//!
//! # Invariants
//!
//! 1. **One verdict.** The cancel decides under the lock whether the child had ended by itself.
//! 2. **Nothing is missed.** A cancel that comes before the child is there is made up for by [`Ending::started`].

use crate::Settings;
use shared_child::SharedChild;
use std::io;
use std::process::{Child, ExitStatus};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Can be ended by one thread while another one waits for it.
pub(crate) type Process = Arc<SharedChild>;

pub(crate) fn share(child: Child) -> io::Result<Process> {
    SharedChild::new(child).map(Arc::new)
}

/// The child, once nothing else has it.
pub(crate) fn unshare(process: Process) -> Child {
    match Arc::try_unwrap(process) {
        Ok(process) => process.into_inner(),
        Err(_) => unreachable!("the ending has given it up"),
    }
}

/// What a cancel does to a child: shared by its wakers and by what waits for the child.
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

    /// The child was started.
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

    /// The cancel has ended the child already.
    pub(crate) fn kill(&self) {}

    /// Whether the cancel came before the child's own end.
    pub(crate) fn has_ended_child(&self) -> bool {
        self.state().is_ended
    }

    pub(crate) fn wait(&self, process: &mut Process) -> io::Result<ExitStatus> {
        process.wait()
    }

    pub(crate) fn try_wait(&self, process: &mut Process) -> io::Result<Option<ExitStatus>> {
        process.try_wait()
    }

    /// For what gives the child up: it is not ended any more.
    pub(crate) fn give_up(&self) {
        self.state().process = None;
    }
}

/// tokio's child cannot be ended from elsewhere: its own poll does that.
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
