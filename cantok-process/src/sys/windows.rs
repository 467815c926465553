//! Windows, which has no signals: a cancel ends the child, or its group, at once.
//!
//! # Invariants
//!
//! 1. **One verdict.** The cancel decides under the lock whether the child had ended by itself.
//! 2. **No cancel is missed.** If the cancel comes before the child exists, [`Ending::started`] ends the child.
//! 3. **A group outlives its child.** Once the child has ended by itself and was waited for, no cancel ends its group.

use super::job_object::JobObject;
use crate::Settings;
use shared_child::SharedChild;
use std::io;
use std::os::windows::io::{AsRawHandle, RawHandle};
use std::process::{Child, ExitStatus};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// How often to ask for the rest of a group, since a job cannot be waited for.
const INTERVAL: Duration = Duration::from_millis(10);

/// A child that one thread can end while another thread waits for it.
pub(crate) type Process = Arc<SharedChild>;

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
    is_group: bool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// `None` for a child of tokio, which only its own poll can end.
    process: Option<Process>,
    group: Option<Group>,
    is_cancelled: bool,
    /// The output of the child is being read, so a child with a group ends with its output.
    is_read: bool,
    /// When the cancel came, the child, or a group that may still write, had not ended by itself.
    is_ended: bool,
}

#[derive(Debug)]
struct Group {
    job: JobObject,
    /// The process id of the child.
    child: u32,
}

impl State {
    fn end(&mut self) {
        let is_alive = match (&self.process, &self.group) {
            (Some(process), _) => !matches!(process.try_wait(), Ok(Some(_))),
            (None, Some(group)) => group.job.contains(group.child),
            (None, None) => false,
        };
        if is_alive || (self.group.is_some() && self.is_read) {
            self.is_ended = true;
        }
        // Before its group, since a job ends processes with the exit code 0.
        if let Some(process) = self.process.as_ref().filter(|_| is_alive) {
            let _ = process.kill();
        }
        if let Some(group) = &mut self.group {
            group.job.end();
        }
    }
}

impl Ending {
    pub(crate) fn new(settings: &Settings) -> Self {
        Ending {
            is_group: settings.group,
            state: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Call this before reading the output of the child.
    pub(crate) fn begin_reading(&self) {
        self.state().is_read = true;
    }

    /// Call this once the pipes have ended.
    pub(crate) fn end_reading(&self) {
        self.state().is_read = false;
    }

    /// Call this once the child was started.
    ///
    /// # Errors
    ///
    /// If the system refuses the group. Then the child has ended.
    pub(crate) fn started(&self, child: Child) -> io::Result<Process> {
        let (handle, id) = (child.as_raw_handle(), child.id());
        let process = Arc::new(SharedChild::new(child)?);
        let has_ended = || matches!(process.try_wait(), Ok(Some(_)));
        match self.group(handle, id, has_ended) {
            Ok(group) => self.begin(Some(Arc::clone(&process)), group),
            Err(error) => {
                let _ = process.kill();
                process.wait()?;
                return Err(error);
            }
        }
        Ok(process)
    }

    /// Puts the child into a group, if it is to have one and has not ended.
    fn group(
        &self,
        child: RawHandle,
        id: u32,
        has_ended: impl FnOnce() -> bool,
    ) -> io::Result<Option<Group>> {
        if !self.is_group {
            return Ok(None);
        }
        match JobObject::of(child) {
            Ok(job) => Ok(Some(Group { job, child: id })),
            Err(_) if has_ended() => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn begin(&self, process: Option<Process>, group: Option<Group>) {
        let mut state = self.state();
        state.process = process;
        state.group = group;
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

    /// After the grace this has no effect, since the cancel has already ended the child.
    pub(crate) fn kill(&self) {
        self.ask();
    }

    /// Returns whether the cancel came before the child's own end.
    pub(crate) fn has_ended_child(&self) -> bool {
        self.state().is_ended
    }

    /// Blocks until the child has ended, and its group if a cancel ended it.
    pub(crate) fn wait(&self, process: &mut Process) -> io::Result<ExitStatus> {
        let status = process.wait()?;
        while self.is_group_left() {
            thread::sleep(INTERVAL);
        }
        self.reaped();
        Ok(status)
    }

    /// Does the same as [`Ending::wait`] if that need not block, else returns `None`.
    pub(crate) fn try_wait(&self, process: &mut Process) -> io::Result<Option<ExitStatus>> {
        let status = process.try_wait()?;
        if status.is_none() || self.is_group_left() {
            return Ok(None);
        }
        self.reaped();
        Ok(status)
    }

    /// Returns whether a cancelled child's group has processes left.
    pub(crate) fn is_group_left(&self) -> bool {
        let state = self.state();
        let group = state.group.as_ref().filter(|_| state.is_ended);
        group.is_some_and(|group| !group.job.is_empty())
    }

    /// Call this once the child was waited for.
    pub(crate) fn reaped(&self) {
        let mut state = self.state();
        if !state.is_ended {
            state.process = None;
            state.group = None;
        }
    }

    /// Gives the child up. After this, a cancel does not end it.
    pub(crate) fn give_up(&self) {
        let mut state = self.state();
        state.process = None;
        state.group = None;
    }
}

/// Without a group, only its own poll can end a child of tokio.
#[cfg(feature = "tokio")]
impl Ending {
    /// Call this once the child with this handle and process id was started.
    ///
    /// # Errors
    ///
    /// If the system refuses the group. The child has not ended then.
    pub(crate) fn started_with(
        &self,
        child: RawHandle,
        id: u32,
        has_ended: impl FnOnce() -> bool,
    ) -> io::Result<()> {
        let group = self.group(child, id, has_ended)?;
        self.begin(None, group);
        Ok(())
    }

    pub(crate) fn end_by(&self, kill: impl FnOnce() -> io::Result<()>) {
        let mut state = self.state();
        if !state.is_ended {
            state.is_ended = kill().is_ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    fn ending() -> Ending {
        Ending::new(&Settings {
            group: true,
            ..Settings::default()
        })
    }

    /// Runs until its standard input is closed.
    fn child() -> Child {
        let mut command = Command::new("cmd");
        command.stdin(Stdio::piped()).stdout(Stdio::null());
        command.spawn().unwrap()
    }

    #[test]
    fn a_child_that_ends_before_it_joins_its_group_has_its_status() {
        let ending = ending();
        let mut child = Command::new("cmd").args(["/C", "exit 3"]).spawn().unwrap();
        while child.try_wait().unwrap().is_none() {
            thread::yield_now();
        }
        let mut process = ending.started(child).unwrap();
        assert_eq!(ending.wait(&mut process).unwrap().code(), Some(3));
        assert!(!ending.has_ended_child());
    }

    #[test]
    fn a_cancel_before_the_start_ends_the_child() {
        let ending = ending();
        ending.ask();
        let mut process = ending.started(child()).unwrap();
        ending.wait(&mut process).unwrap();
        assert!(ending.has_ended_child());
    }

    #[test]
    fn a_cancelled_child_is_waited_for_with_its_group() {
        let ending = ending();
        let mut process = ending.started(child()).unwrap();
        ending.ask();
        process.wait().unwrap();
        // As if the job took its time.
        let mut left = child();
        let job = JobObject::of(left.as_raw_handle()).unwrap();
        ending.state().group = Some(Group { job, child: 0 });
        assert_eq!(ending.try_wait(&mut process).unwrap(), None);
        thread::scope(|scope| {
            let waiter = scope.spawn(|| {
                ending.wait(&mut process.clone()).unwrap();
                ending.is_group_left()
            });
            drop(left.stdin.take());
            left.wait().unwrap();
            assert!(!waiter.join().unwrap());
        });
        assert!(ending.try_wait(&mut process).unwrap().is_some());
    }
}
