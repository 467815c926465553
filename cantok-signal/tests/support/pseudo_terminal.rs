//! A terminal without a screen.

use std::fs::File;

use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};

/// Its two ends: the one of who types and reads, and that of a program.
pub(crate) fn open() -> (File, File) {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let ours = openpt(flags).expect("a pseudo-terminal");
    grantpt(&ours).expect("granted");
    unlockpt(&ours).expect("unlocked");
    let its = ioctl_tiocgptpeer(&ours, flags).expect("the other end");
    (ours.into(), its.into())
}
