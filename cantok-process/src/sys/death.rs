use super::Notice;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How a `poll` learns that a child has ended. The child is not reaped by this.
#[derive(Debug)]
pub(crate) enum Death {
    /// Readable from then on.
    Descriptor(OwnedFd),
    /// Sends a notice.
    Thread(Option<JoinHandle<()>>),
    /// Nothing can be had: the `poll` has to end at this interval.
    Interval,
}

const INTERVAL: Duration = Duration::from_millis(10);

impl Death {
    /// Of a child.
    pub(crate) fn of(pid: Pid, notice: &Arc<Notice>) -> Self {
        match open_process(pid) {
            Ok(descriptor) => Death::Descriptor(descriptor),
            Err(_) => Death::by_thread(pid, notice),
        }
    }

    /// Of a process that is not a child of this one.
    pub(crate) fn of_another(pid: Pid) -> Self {
        open_process(pid).map_or(Death::Interval, Death::Descriptor)
    }

    /// Where the system has no descriptors of processes, or no more of them.
    pub(crate) fn by_thread(pid: Pid, notice: &Arc<Notice>) -> Self {
        let notice = Arc::clone(notice);
        let watch = move || {
            wait_for_exit(pid);
            notice.send();
        };
        match thread::Builder::new()
            .name("cantok-process".to_owned())
            .spawn(watch)
        {
            Ok(thread) => Death::Thread(Some(thread)),
            Err(_) => Death::Interval,
        }
    }

    pub(crate) fn as_fd(&self) -> Option<BorrowedFd<'_>> {
        match self {
            Death::Descriptor(descriptor) => Some(descriptor.as_fd()),
            Death::Thread(_) | Death::Interval => None,
        }
    }

    /// Blocks until the process has ended, or for the interval.
    pub(crate) fn wait(&self) {
        match self.as_fd() {
            Some(descriptor) => {
                let _ = poll(&mut [PollFd::new(&descriptor, PollFlags::IN)], None);
            }
            None => thread::sleep(INTERVAL),
        }
    }

    pub(crate) fn interval(&self) -> Option<Duration> {
        matches!(self, Death::Interval).then_some(INTERVAL)
    }

    /// Leaves no thread behind. The child has ended.
    pub(crate) fn finish(&mut self) {
        if let Death::Thread(thread) = self {
            if let Some(thread) = thread.take() {
                let _ = thread.join();
            }
        }
    }
}

/// Readable when the process has ended.
#[cfg(target_os = "linux")]
pub(crate) fn open_process(pid: Pid) -> rustix::io::Result<OwnedFd> {
    use rustix::process::{PidfdFlags, pidfd_open};
    pidfd_open(pid, PidfdFlags::empty())
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn open_process(_: Pid) -> rustix::io::Result<OwnedFd> {
    Err(Errno::NOSYS)
}

/// Blocks until the child has ended, or somebody else has reaped it.
pub(crate) fn wait_for_exit(pid: Pid) {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    while waitid(WaitId::Pid(pid), options).err() == Some(Errno::INTR) {}
}

/// Whether the child has ended, or somebody else has reaped it.
pub(crate) fn has_exited(pid: Pid) -> bool {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
    !matches!(waitid(WaitId::Pid(pid), options), Ok(None))
}
