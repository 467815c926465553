use super::thread::watch;
use cantok_core::Token;
use std::io;

/// A token that is cancelled when the parent process has ended: for servers and workers that must not outlive it.
///
/// # Guarantees
///
/// - The token is cancelled however the parent ends, even by SIGKILL. The reason is "the parent process has ended".
/// - The parent is the process that started this one. For Linux's `PR_SET_PDEATHSIG` it is only the starting thread.
/// - The token's thread ends with the last handle, sum and child of the token.
///
/// Make it early. If the parent has already ended, the token watches the process that has adopted this one.
///
/// # Cost
///
/// Each token takes a thread and three descriptors. On Linux 5.3 and later the thread sleeps until the parent ends. On
/// other systems it polls every 100 ms.
///
/// # Examples
///
/// ```
/// # #[cfg(unix)] {
/// use cantok_core::SimpleToken;
/// use cantok_process::ParentToken;
///
/// let stop = SimpleToken::new();
/// let token = &stop + ParentToken::new()?;
/// assert!(token.keep_on()); // the parent is still running
/// # }
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
#[must_use = "dropping it ends the watch"]
pub struct ParentToken {
    token: Token,
}

handle!(ParentToken);

impl ParentToken {
    /// Makes a token that watches the parent process.
    ///
    /// # Errors
    ///
    /// - The parent is not visible, as for the first process of a container.
    /// - The system refuses a thread or a descriptor.
    /// - [`Unsupported`](io::ErrorKind::Unsupported) on systems other than Unix.
    pub fn new() -> io::Result<Self> {
        let wait = wait_for_parent()?;
        let token = watch("the parent process has ended", wait)?;
        Ok(ParentToken { token })
    }
}

#[cfg(unix)]
fn wait_for_parent() -> io::Result<impl FnOnce(&crate::sys::Notice) -> bool + Send + 'static> {
    use crate::sys::{Notice, open_process};
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::io::Errno;
    use rustix::process::getppid;

    /// How often to poll if the system cannot notify.
    const INTERVAL: Timespec = Timespec {
        tv_sec: 0,
        tv_nsec: 100_000_000,
    };

    let Some(parent) = getppid() else {
        let hidden = "the parent process is outside of this PID namespace";
        return Err(io::Error::new(io::ErrorKind::NotFound, hidden));
    };
    let process = match open_process(parent) {
        Ok(process) => Some(process),
        // Either the parent has ended, which the wait finds, or this system has no such descriptors.
        Err(Errno::SRCH | Errno::NOSYS | Errno::PERM) => None,
        Err(error) => return Err(error.into()),
    };
    Ok(move |stop: &Notice| {
        // If the parent ended before its descriptor was opened, the id may have become another process's.
        while getppid() == Some(parent) {
            let stopped = stop.as_fd();
            let mut polled = vec![PollFd::new(&stopped, PollFlags::IN)];
            if let Some(process) = &process {
                polled.push(PollFd::new(process, PollFlags::IN));
            }
            let interval = process.is_none().then_some(&INTERVAL);
            let ready = poll(&mut polled, interval);
            if !polled[0].revents().is_empty() {
                return false;
            }
            if ready.is_ok()
                && polled
                    .get(1)
                    .is_some_and(|process| !process.revents().is_empty())
            {
                return true;
            }
        }
        true
    })
}

#[cfg(not(unix))]
fn wait_for_parent() -> io::Result<impl FnOnce(&super::thread::Stop) -> bool + Send + 'static> {
    Err::<fn(&super::thread::Stop) -> bool, _>(io::ErrorKind::Unsupported.into())
}
