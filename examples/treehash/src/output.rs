use crate::console::Console;
use crate::file_id::FileId;
use std::fs::{File, Metadata};
use std::io::{self, IsTerminal, Write};
use std::mem;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Number of bytes that a pipe takes as a whole or not at all: at least 512 by POSIX, 4096 on Linux.
///
/// Each line is written with one call, so that none is torn, however the process ends.
const WHOLE: usize = 4096;

/// A file, such as standard output, which takes whole lines from any thread.
#[derive(Debug)]
pub(crate) struct Output {
    pending: Mutex<Pending>,
    file: File,
    is_sorted: bool,
    console: Console,
}

#[derive(Debug, Default)]
struct Pending {
    lines: Vec<u8>,
    /// Lines that wait for the end of the run, with their paths.
    unsorted: Vec<(PathBuf, Vec<u8>)>,
    /// A write has failed, perhaps in the middle of a line, so nothing may follow.
    failed: bool,
}

impl Output {
    /// `is_sorted` keeps all lines until the end of the run, to sort them by their paths.
    pub(crate) fn new(file: File, is_sorted: bool, console: Console) -> Output {
        Output {
            pending: Mutex::default(),
            file,
            is_sorted,
            console,
        }
    }

    /// What the output is, if it is a file.
    pub(crate) fn file_id(&self) -> Option<FileId> {
        let metadata = self.file.metadata().ok().filter(Metadata::is_file);
        metadata.as_ref().map(FileId::of)
    }

    /// Takes a line of a file, to be written together with others or by [`flush`](Output::flush).
    ///
    /// # Errors
    ///
    /// Returns an error once if the output cannot be written. After that, lines are dropped.
    pub(crate) fn push(&self, path: PathBuf, line: Vec<u8>) -> io::Result<()> {
        let mut pending = self.pending();
        if self.is_sorted {
            pending.unsorted.push((path, line));
            return Ok(());
        }
        self.append(&mut pending, &line)
    }

    /// Writes the lines that need not wait for the end of the run.
    ///
    /// # Errors
    ///
    /// As [`push`](Output::push).
    pub(crate) fn flush(&self) -> io::Result<()> {
        self.write(&mut self.pending())
    }

    /// Writes all lines, at the end of the run.
    ///
    /// # Errors
    ///
    /// As [`push`](Output::push).
    pub(crate) fn finish(&self) -> io::Result<()> {
        let mut pending = self.pending();
        let mut lines = mem::take(&mut pending.unsorted);
        // Not by `PathBuf`'s order, which is that of the folders' names and not of the text.
        lines.sort_by(|(a, _), (b, _)| a.as_os_str().as_bytes().cmp(b.as_os_str().as_bytes()));
        for (_, line) in lines {
            self.append(&mut pending, &line)?;
        }
        self.write(&mut pending)
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn append(&self, pending: &mut Pending, line: &[u8]) -> io::Result<()> {
        if pending.lines.len() + line.len() > WHOLE {
            self.write(pending)?;
        }
        if !pending.failed {
            pending.lines.extend(line);
        }
        Ok(())
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
