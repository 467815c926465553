use super::Notice;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How a `poll` learns that a child has ended. This does not reap the child.
#[derive(Debug)]
pub(crate) enum Death {
    /// A descriptor that is readable once the process has ended.
    Descriptor(OwnedFd),
    /// A thread that sends a notice.
    Thread(Option<JoinHandle<()>>),
    /// Neither is available, so the `poll` has to end at this interval.
    Interval,
}

const INTERVAL: Duration = Duration::from_millis(10);

impl Death {
    /// Watches a child.
    pub(crate) fn of(pid: Pid, notice: &Arc<Notice>) -> Self {
        match open_process(pid) {
            Ok(descriptor) => Death::Descriptor(descriptor),
            Err(_) => Death::by_thread(pid, notice),
        }
    }

    /// Watches a process that is not a child of this one.
    pub(crate) fn of_another(pid: Pid) -> Self {
        open_process(pid).map_or(Death::Interval, Death::Descriptor)
    }

    /// Watches by a thread, for systems without descriptors of processes or without any left.
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

    /// Joins the thread. Call this once the child has ended, or if the caller waits for that next.
    pub(crate) fn finish(&mut self) {
        if let Death::Thread(thread) = self {
            if let Some(thread) = thread.take() {
                let _ = thread.join();
            }
        }
    }
}

/// Opens a descriptor that is readable once the process has ended.
#[cfg(target_os = "linux")]
pub(crate) fn open_process(pid: Pid) -> rustix::io::Result<OwnedFd> {
    use rustix::process::{PidfdFlags, pidfd_open};
    pidfd_open(pid, PidfdFlags::empty())
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn open_process(_: Pid) -> rustix::io::Result<OwnedFd> {
    Err(Errno::NOSYS)
}

/// Blocks until the child has ended, or something else has reaped it.
pub(crate) fn wait_for_exit(pid: Pid) {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    while waitid(WaitId::Pid(pid), options).err() == Some(Errno::INTR) {}
}

/// Whether the child has ended, or something else has reaped it.
pub(crate) fn has_exited(pid: Pid) -> bool {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
    !matches!(waitid(WaitId::Pid(pid), options), Ok(None))
}

#[cfg(test)]
mod tests {
    //! Tests the ways without descriptors of processes, on every system.

    use super::*;
    use std::process::{Command, Stdio};

    fn child() -> std::process::Child {
        let mut cat = Command::new("cat");
        cat.stdin(Stdio::piped()).spawn().unwrap()
    }

    fn is_noticed(notice: &Notice, death: &Death) -> bool {
        let heard = notice.as_fd();
        let interval = death.interval().unwrap_or(Duration::from_secs(60));
        let interval = interval.try_into().unwrap();
        poll(&mut [PollFd::new(&heard, PollFlags::IN)], Some(&interval)).unwrap() > 0
    }

    #[test]
    fn a_thread_sends_a_notice_and_does_not_reap() {
        let notice = Arc::new(Notice::new().unwrap());
        let mut child = child();
        let pid = Pid::from_child(&child);
        let mut death = Death::by_thread(pid, &notice);
        assert!(death.as_fd().is_none());
        assert!(!has_exited(pid));
        drop(child.stdin.take());
        assert!(is_noticed(&notice, &death));
        death.finish();
        assert!(has_exited(pid));
        assert!(child.wait().unwrap().success());
        // A reaped child counts as ended.
        assert!(has_exited(pid));
        wait_for_exit(pid);
    }

    #[test]
    fn without_a_thread_there_is_an_interval() {
        let notice = Notice::new().unwrap();
        assert!(!is_noticed(&notice, &Death::Interval));
        Death::Interval.wait();
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_descriptor_is_readable_once_the_child_has_ended() {
        let notice = Arc::new(Notice::new().unwrap());
        let mut child = child();
        let death = Death::of(Pid::from_child(&child), &notice);
        let ended = |death: &Death| {
            let descriptor = death.as_fd().expect("Linux 5.3 has them");
            let no_time = Duration::ZERO.try_into().unwrap();
            poll(
                &mut [PollFd::new(&descriptor, PollFlags::IN)],
                Some(&no_time),
            )
            .unwrap()
                > 0
        };
        assert!(!ended(&death));
        drop(child.stdin.take());
        death.wait();
        assert!(ended(&death));
        assert!(child.wait().unwrap().success());
    }
}
