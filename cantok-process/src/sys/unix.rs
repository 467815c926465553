//! # Invariants
//!
//! 1. **No signal hits a stranger.** Signals are sent, and the child is reaped, under one lock. A process id is used
//!    only while the child is not reaped, or while its group was alive a moment ago.
//! 2. **One verdict.** The first signal decides under that lock whether the child had ended by itself.
//! 3. **Nothing is missed.** A cancel that comes before the child's process id is known is made up for by
//!    [`Ending::started`].
//! 4. **The lock is short.** No thread blocks while it holds the lock, and no user code runs under it.

use super::Notice;
use super::death::{has_exited, wait_for_exit};
use crate::{Settings, Signal};
use rustix::io::Errno;
use rustix::process::{
    Pid, Signal as Raw, WaitOptions, kill_process, kill_process_group, test_kill_process_group,
    waitpgid,
};
use std::process::{Child, ExitStatus};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;
use std::{io, thread};

pub(crate) type Process = Child;

/// What a cancel does to a child: shared by its wakers and by what waits for the child.
#[derive(Debug)]
pub(crate) struct Ending {
    signal: Signal,
    is_group: bool,
    state: Mutex<State>,
    /// Sent by the cancel, if something polls.
    notice: OnceLock<Arc<Notice>>,
}

#[derive(Debug)]
struct State {
    life: Life,
    /// The polite signal was due.
    is_cancelled: bool,
    /// SIGKILL was due.
    is_over: bool,
    /// The child had not ended by itself when the polite signal was due.
    is_ended: bool,
}

#[derive(Clone, Copy, Debug)]
enum Life {
    Unborn,
    /// Not reaped yet.
    Child(Pid),
    /// The child was reaped, but not all of its group may have ended.
    Group(Pid),
    Gone,
}

impl Ending {
    pub(crate) fn new(settings: &Settings) -> Self {
        Ending {
            signal: settings.signal,
            is_group: settings.group,
            state: Mutex::new(State {
                life: Life::Unborn,
                is_cancelled: false,
                is_over: false,
                is_ended: false,
            }),
            notice: OnceLock::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on the cancel sends a notice.
    pub(crate) fn notify(&self, notice: Arc<Notice>) {
        let _ = self.notice.set(notice);
    }

    /// The child of this process id was started.
    pub(crate) fn started(&self, id: u32) {
        let mut state = self.state();
        if let Some(pid) = Pid::from_raw(id.cast_signed()) {
            state.life = Life::Child(pid);
        }
        if state.is_cancelled {
            self.send_polite(&mut state);
        }
        if state.is_over {
            self.send(&state, Raw::KILL);
        }
    }

    /// The polite signal is due.
    pub(crate) fn ask(&self) {
        let mut state = self.state();
        state.is_cancelled = true;
        self.send_polite(&mut state);
        drop(state);
        self.send_notice();
    }

    /// SIGKILL is due.
    pub(crate) fn kill(&self) {
        let mut state = self.state();
        state.is_over = true;
        self.send(&state, Raw::KILL);
        drop(state);
        self.send_notice();
    }

    fn send_polite(&self, state: &mut State) {
        let Life::Child(pid) = state.life else { return };
        if !has_exited(pid) {
            state.is_ended = true;
        } else if !self.is_group {
            return;
        }
        self.send(state, self.signal.raw());
        if self.signal != Signal::KILL {
            // A stopped process gets the signal once it goes on.
            self.send(state, Raw::CONT);
        }
    }

    /// Errors are not for the canceller: what has ended needs no signal, and what may not be signalled is waited for.
    fn send(&self, state: &State, signal: Raw) {
        let _ = match state.life {
            Life::Child(pid) | Life::Group(pid) if self.is_group => kill_process_group(pid, signal),
            Life::Child(pid) => kill_process(pid, signal),
            Life::Unborn | Life::Group(_) | Life::Gone => Ok(()),
        };
    }

    fn send_notice(&self) {
        if let Some(notice) = self.notice.get() {
            notice.send();
        }
    }

    /// Whether the cancel came before the child's own end.
    pub(crate) fn has_ended_child(&self) -> bool {
        self.state().is_ended
    }

    /// The child, unless it is reaped.
    pub(crate) fn child(&self) -> Option<Pid> {
        match self.state().life {
            Life::Child(pid) => Some(pid),
            Life::Unborn | Life::Group(_) | Life::Gone => None,
        }
    }

    /// Reaps the child by `try_wait`, if it has ended.
    pub(crate) fn reap(
        &self,
        try_wait: impl FnOnce() -> io::Result<Option<ExitStatus>>,
    ) -> io::Result<Option<ExitStatus>> {
        let mut state = self.state();
        let reaped = try_wait();
        match (&reaped, state.life) {
            (Ok(None), _) => {}
            (Ok(Some(_)), Life::Child(pid)) if self.is_group && state.is_cancelled => {
                state.life = Life::Group(pid);
            }
            // Somebody else has reaped it, if this is an error: the process id may be another's.
            _ => state.life = Life::Gone,
        }
        reaped
    }

    /// Whether something of the cancelled child's group is left, after the child was reaped.
    pub(crate) fn is_group_left(&self) -> bool {
        let mut state = self.state();
        let Life::Group(pid) = state.life else {
            return false;
        };
        // Orphans come to this process where it is the first one of a container.
        while let Ok(Some(_)) = waitpgid(pid, WaitOptions::NOHANG) {}
        if test_kill_process_group(pid) == Err(Errno::SRCH) {
            state.life = Life::Gone;
        }
        matches!(state.life, Life::Group(_))
    }

    /// Blocks until the child has ended, reaps it, and waits for its group if it was cancelled.
    pub(crate) fn wait(&self, process: &mut Process) -> io::Result<ExitStatus> {
        if let Some(pid) = self.child() {
            wait_for_exit(pid);
        }
        let status = loop {
            if let Some(status) = self.reap(|| process.try_wait())? {
                break status;
            }
        };
        self.wait_for_group();
        Ok(status)
    }

    /// No system tells when a group is empty, so it is asked at growing intervals, for no longer than the grace.
    pub(crate) fn wait_for_group(&self) {
        let mut pauses = pauses();
        while self.is_group_left() {
            pauses.next().map(thread::sleep);
        }
    }

    /// For what gives the child up: no signal is sent any more.
    pub(crate) fn give_up(&self) {
        self.state().life = Life::Gone;
    }
}

/// Between two questions whether a group is empty: 1 ms and growing, at most 20.
pub(crate) fn pauses() -> impl Iterator<Item = Duration> {
    const LONGEST: Duration = Duration::from_millis(20);
    std::iter::successors(Some(Duration::from_millis(1)), |pause| {
        Some((*pause * 2).min(LONGEST))
    })
}
