use crate::console::Console;
use std::fs::{File, Metadata};
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Number of bytes that a pipe takes as a whole or not at all: at least 512 by POSIX, 4096 on Linux.
///
/// Each line is written with one call, so that none is torn, however the process ends.
const WHOLE: usize = 4096;

/// Standard output, which takes whole lines from any thread.
#[derive(Debug)]
pub(crate) struct Output {
    pending: Mutex<Pending>,
    // Not `Stdout`, which ignores that a descriptor cannot be written.
    file: File,
    console: Console,
}

#[derive(Debug, Default)]
struct Pending {
    lines: Vec<u8>,
    /// A write has failed, perhaps in the middle of a line, so nothing may follow.
    failed: bool,
}

impl Output {
    pub(crate) fn new(console: Console) -> io::Result<Output> {
        Ok(Output {
            pending: Mutex::default(),
            file: io::stdout().as_fd().try_clone_to_owned()?.into(),
            console,
        })
    }

    /// Device and inode of the output, if it is a file.
    pub(crate) fn file_id(&self) -> Option<(u64, u64)> {
        let metadata = self.file.metadata().ok().filter(Metadata::is_file);
        metadata.map(|file| (file.dev(), file.ino()))
    }

    /// Takes a line, to be written together with others or by [`flush`](Output::flush).
    ///
    /// # Errors
    ///
    /// Returns an error once if standard output cannot be written. After that, lines are dropped.
    pub(crate) fn push(&self, line: &[u8]) -> io::Result<()> {
        let mut pending = self.pending();
        if pending.lines.len() + line.len() > WHOLE {
            self.write(&mut pending)?;
        }
        if !pending.failed {
            pending.lines.extend(line);
        }
        Ok(())
    }

    /// Writes all lines.
    ///
    /// # Errors
    ///
    /// As [`push`](Output::push).
    pub(crate) fn flush(&self) -> io::Result<()> {
        self.write(&mut self.pending())
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, pending: &mut Pending) -> io::Result<()> {
        if pending.lines.is_empty() {
            return Ok(());
        }
        let write = || (&self.file).write_all(&pending.lines);
        let result = if self.file.is_terminal() {
            self.console.aside(write)
        } else {
            write()
        };
        pending.lines.clear();
        pending.failed |= result.is_err();
        result
    }
}
