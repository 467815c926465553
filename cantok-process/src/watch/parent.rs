use super::thread::watch;
use cantok_core::Token;
use std::io;

/// A token that is cancelled when the process that started this one has ended: for servers and workers that must not
/// outlive what started them.
///
/// # Guarantees
///
/// - However the parent ends, even by SIGKILL, the token is cancelled. The reason is "the parent process has ended".
/// - The parent is the process, and not its thread that started this one, as it is for Linux's `PR_SET_PDEATHSIG`.
/// - With the last handle, sum and child of the token its thread ends.
///
/// Make it early. If the parent has ended before, the token watches the process that has adopted this one.
///
/// # Cost
///
/// A thread and three descriptors for each token. On Linux 5.3 and later the thread sleeps until the parent ends. Other
/// systems are polled every 100 ms.
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
/// assert!(token.keep_on()); // what has started this is still there
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
    /// A token that watches the parent process.
    ///
    /// # Errors
    ///
    /// If the parent cannot be seen, as that of the first process of a container; if the system refuses a thread or a
    /// descriptor; and with [`Unsupported`](io::ErrorKind::Unsupported) on systems other than Unix.
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

    /// Nanoseconds between two questions, where the system does not tell.
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
        // It has ended, which the wait finds; or this system has no such descriptors.
        Err(Errno::SRCH | Errno::NOSYS | Errno::PERM) => None,
        Err(error) => return Err(error.into()),
    };
    Ok(move |stop: &Notice| {
        // Its number was another process's by then, if the parent had ended before it was opened.
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
