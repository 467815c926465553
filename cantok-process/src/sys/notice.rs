use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;

/// Ends a `poll` on another thread.
///
/// Both ends live as long as this, so that no write raises SIGPIPE.
#[derive(Debug)]
pub(crate) struct Notice {
    reader: UnixStream,
    writer: UnixStream,
}

impl Notice {
    pub(crate) fn new() -> io::Result<Self> {
        let (reader, writer) = UnixStream::pair()?;
        reader.set_nonblocking(true)?;
        writer.set_nonblocking(true)?;
        Ok(Notice { reader, writer })
    }

    pub(crate) fn send(&self) {
        // If there is no room, a notice is already pending.
        let _ = (&self.writer).write(&[0]);
    }

    pub(crate) fn clear(&self) {
        while matches!((&self.reader).read(&mut [0; 16]), Ok(1..)) {}
    }

    /// Returns a descriptor that is readable once a notice was sent.
    pub(crate) fn as_fd(&self) -> BorrowedFd<'_> {
        self.reader.as_fd()
    }
}
