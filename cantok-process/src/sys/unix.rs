//! # Invariants
//!
//! 1. **No signal hits another process.** Signals are sent, and the child is reaped, under one lock. A process id is
//!    used only while the child is not reaped, so the child is reaped after its group. There are two exceptions: tokio
//!    reaps the child itself, and some systems do not list their processes. There the group may get SIGKILL if it was
//!    not empty some milliseconds ago.
//! 2. **One verdict.** The first signal decides under that lock whether the child had ended by itself.
//! 3. **No cancel is missed.** If it comes before the process id is known, [`Ending::started`] sends the signal.
//! 4. **The lock is short.** No thread blocks while it holds the lock, and no user code runs under it.

use super::Notice;
use super::death::{Death, has_exited, wait_for_exit};
use super::group::{death_of_member, live_member};
use crate::{Settings, Signal};
use rustix::io::Errno;
use rustix::process::{
    Pid, Signal as Raw, WaitOptions, kill_process, kill_process_group, test_kill_process_group,
    waitpgid,
};
use std::io;
use std::process::{Child, ExitStatus};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

pub(crate) type Process = Child;

pub(crate) fn unshare(process: Process) -> Child {
    process
}

/// What a cancel does to a child. Its wakers and its waiters share this.
#[derive(Debug)]
pub(crate) struct Ending {
    signal: Signal,
    is_group: bool,
    state: Mutex<State>,
    /// The cancel sends it, if a thread polls.
    notice: OnceLock<Arc<Notice>>,
}

#[derive(Debug)]
struct State {
    life: Life,
    /// The polite signal was due.
    is_cancelled: bool,
    /// SIGKILL was due.
    is_over: bool,
    /// The output of the child is being read, so the child ends with its output.
    is_read: bool,
    /// When the polite signal was due, the child, or a group that may still write, had not ended by itself.
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
                is_read: false,
                is_ended: false,
            }),
            notice: OnceLock::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Call this before reading the output of the child.
    pub(crate) fn begin_reading(&self) {
        self.state().is_read = true;
    }

    /// Has the cancel send a notice from now on.
    pub(crate) fn notify(&self, notice: Arc<Notice>) {
        let _ = self.notice.set(notice);
    }

    /// Call this once the pipes have ended.
    pub(crate) fn end_reading(&self) {
        self.state().is_read = false;
    }

    /// Call this once the child was started.
    pub(crate) fn started(&self, child: Child) -> io::Result<Process> {
        self.started_with(child.id());
        Ok(child)
    }

    /// Call this once the child with this process id was started.
    pub(crate) fn started_with(&self, id: u32) {
        let mut state = self.state();
        if let Some(pid) = i32::try_from(id).ok().and_then(Pid::from_raw) {
            state.life = Life::Child(pid);
        }
        if state.is_cancelled {
            self.send_polite(&mut state);
        }
        if state.is_over {
            self.send(&state, Raw::KILL);
        }
    }

    /// Sends the polite signal, once: from the waker, or earlier from a caller that finds the token cancelled. Before
    /// the child was started, this is put off until then.
    pub(crate) fn ask(&self) {
        let mut state = self.state();
        if state.is_cancelled {
            return;
        }
        state.is_cancelled = true;
        self.send_polite(&mut state);
        drop(state);
        self.send_notice();
    }

    /// Sends SIGKILL, now or once the child was started.
    pub(crate) fn kill(&self) {
        let mut state = self.state();
        state.is_over = true;
        self.send(&state, Raw::KILL);
        drop(state);
        self.send_notice();
    }

    fn send_polite(&self, state: &mut State) {
        let Life::Child(pid) = state.life else { return };
        let has_exited = has_exited(pid);
        if has_exited && !self.is_group {
            return;
        }
        state.is_ended = !has_exited || state.is_read;
        self.send(state, self.signal.raw());
        if self.signal != Signal::KILL {
            // A stopped process gets the signal once it continues.
            self.send(state, Raw::CONT);
        }
    }

    /// Drops errors: an ended process needs no signal, and a process that refuses signals is waited for.
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

    /// Returns whether the cancel came before the child's own end.
    pub(crate) fn has_ended_child(&self) -> bool {
        self.state().is_ended
    }

    /// Returns the child, unless it was reaped.
    pub(crate) fn child(&self) -> Option<Pid> {
        match self.state().life {
            Life::Child(pid) => Some(pid),
            Life::Unborn | Life::Group(_) | Life::Gone => None,
        }
    }

    /// Reaps the child by `try_wait`, which then always returns the same status.
    pub(crate) fn reap(
        &self,
        try_wait: impl FnOnce() -> io::Result<Option<ExitStatus>>,
    ) -> io::Result<Option<ExitStatus>> {
        let mut state = self.state();
        let reaped = try_wait();
        if let (Life::Child(pid), Ok(Some(_)) | Err(_)) = (state.life, &reaped) {
            // After an error the child may have been reaped elsewhere, and its id may be another process's.
            let is_group_left = self.is_group && state.is_ended && reaped.is_ok();
            state.life = if is_group_left {
                Life::Group(pid)
            } else {
                Life::Gone
            };
        }
        reaped
    }

    /// Blocks until the child has ended, and its group if a cancel ended it, and reaps the child.
    pub(crate) fn wait(&self, process: &mut Process) -> io::Result<ExitStatus> {
        if let Some(pid) = self.child() {
            wait_for_exit(pid);
        }
        while let Some(left) = self.left_of_group(|| process.try_wait())? {
            left.wait();
        }
        match self.reap(|| process.try_wait())? {
            Some(status) => Ok(status),
            // A debugger held the child.
            None => process.wait(),
        }
    }

    /// Does the same as [`Ending::wait`] if that need not block, else returns `None`.
    pub(crate) fn try_wait(&self, process: &mut Process) -> io::Result<Option<ExitStatus>> {
        let is_alive = self.child().is_some_and(|pid| !has_exited(pid));
        if is_alive || self.left_of_group(|| process.try_wait())?.is_some() {
            return Ok(None);
        }
        self.reap(|| process.try_wait())
    }

    /// Returns what must still end before a cancelled child's group is empty. The child has already ended.
    ///
    /// If the system does not list its processes, this reaps the child, since a zombie counts as part of the group.
    pub(crate) fn left_of_group(
        &self,
        try_wait: impl FnOnce() -> io::Result<Option<ExitStatus>>,
    ) -> io::Result<Option<Death>> {
        if !self.is_group || !self.has_ended_child() {
            return Ok(None);
        }
        if let Some(group) = self.child() {
            while let Ok(member) = live_member(group) {
                let Some(member) = member else {
                    return Ok(None);
                };
                if let Some(death) = death_of_member(member, group) {
                    return Ok(Some(death));
                }
            }
            self.reap(try_wait)?;
        }
        Ok(self.is_group_left().then_some(Death::Interval))
    }

    /// Returns whether a cancelled child's group has processes left after the child was reaped.
    pub(crate) fn is_group_left(&self) -> bool {
        let Life::Group(group) = self.state().life else {
            return false;
        };
        let is_left = match live_member(group) {
            Ok(member) => member.is_some(),
            Err(_) => {
                // The first process of a container adopts orphans.
                while let Ok(Some(_)) = waitpgid(group, WaitOptions::NOHANG) {}
                test_kill_process_group(group) != Err(Errno::SRCH)
            }
        };
        if !is_left {
            self.state().life = Life::Gone;
        }
        is_left
    }

    /// Gives the child up. After this, no signal is sent.
    pub(crate) fn give_up(&self) {
        self.state().life = Life::Gone;
    }
}
