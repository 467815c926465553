//! # Invariants
//!
//! 1. **No signal hits a stranger.** Signals are sent, and the child is reaped, under one lock, and a process id is used
//!    only while the child is not reaped. So the child is reaped after its group, except with tokio, which reaps it
//!    itself, and where the system does not list its processes. There its group may get SIGKILL as long as it was not
//!    empty some milliseconds ago.
//! 2. **One verdict.** The first signal decides under that lock whether the child had ended by itself.
//! 3. **Nothing is missed.** A cancel that comes before the child's process id is known is made up for by
//!    [`Ending::started`].
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

pub(crate) fn share(child: Child) -> io::Result<Process> {
    Ok(child)
}

pub(crate) fn unshare(process: Process) -> Child {
    process
}

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
    /// What the child writes is being read, so it ends with its output.
    is_read: bool,
    /// The child, or a group that may go on writing, had not ended by itself when the polite signal was due.
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

    /// What the child writes is read from now on.
    pub(crate) fn begin_reading(&self) {
        self.state().is_read = true;
    }

    /// The cancel sends a notice from now on.
    pub(crate) fn notify(&self, notice: Arc<Notice>) {
        let _ = self.notice.set(notice);
    }

    /// Nothing can write any more.
    pub(crate) fn end_reading(&self) {
        self.state().is_read = false;
    }

    /// The child was started.
    pub(crate) fn started(&self, process: &Process) {
        self.started_with(process.id());
    }

    /// The child of this process id was started.
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

    /// The polite signal is due. It is sent once: by the waker, or before by what finds the token cancelled.
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
        let has_exited = has_exited(pid);
        if has_exited && !self.is_group {
            return;
        }
        state.is_ended = !has_exited || state.is_read;
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

    /// Reaps the child by `try_wait`, which returns the same status ever after.
    pub(crate) fn reap(
        &self,
        try_wait: impl FnOnce() -> io::Result<Option<ExitStatus>>,
    ) -> io::Result<Option<ExitStatus>> {
        let mut state = self.state();
        let reaped = try_wait();
        if let (Life::Child(pid), Ok(Some(_)) | Err(_)) = (state.life, &reaped) {
            // After an error something else may have reaped it, and the process id be another's.
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
            // A debugger had it.
            None => process.wait(),
        }
    }

    /// [`Ending::wait`], if that need not block.
    pub(crate) fn try_wait(&self, process: &mut Process) -> io::Result<Option<ExitStatus>> {
        let is_alive = self.child().is_some_and(|pid| !has_exited(pid));
        if is_alive || self.left_of_group(|| process.try_wait())?.is_some() {
            return Ok(None);
        }
        self.reap(|| process.try_wait())
    }

    /// What has to end before a cancelled child's group is empty, the child having ended. Where the system cannot tell,
    /// this reaps the child, since a zombie is found in the group.
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

    /// Whether there is something in a cancelled child's group after the child was reaped.
    pub(crate) fn is_group_left(&self) -> bool {
        let Life::Group(group) = self.state().life else {
            return false;
        };
        let is_left = match live_member(group) {
            Ok(member) => member.is_some(),
            Err(_) => {
                // Orphans come to this process where it is the first one of a container.
                while let Ok(Some(_)) = waitpgid(group, WaitOptions::NOHANG) {}
                test_kill_process_group(group) != Err(Errno::SRCH)
            }
        };
        if !is_left {
            self.state().life = Life::Gone;
        }
        is_left
    }

    /// For what gives the child up: no signal is sent any more.
    pub(crate) fn give_up(&self) {
        self.state().life = Life::Gone;
    }
}
