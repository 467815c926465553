use crate::console::Console;
use crate::counts::Counts;
use crate::output::Output;
use crate::tokens::*;
use crossbeam_channel::Sender;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::Duration;
use walkdir::{DirEntry, DirEntryExt, WalkDir};

/// How long a stopped finder continues, to count the missing files.
const COUNTING: Duration = Duration::from_millis(25);

/// Finds files until there are no more, or until its token is cancelled.
#[derive(Debug)]
pub(crate) struct Finder<'a> {
    counts: &'a Counts,
    console: &'a Console,
    /// Device and inode of the output, if it is a file.
    output: Option<(u64, u64)>,
}

impl<'a> Finder<'a> {
    pub(crate) fn new(counts: &'a Counts, console: &'a Console, output: &Output) -> Self {
        Finder {
            counts,
            console,
            output: output.file_id(),
        }
    }

    /// Sends the files at and below these paths. Returns whether all of them were counted.
    pub(crate) fn find(&self, paths: &[PathBuf], files: Sender<PathBuf>, stops: &Stops) -> bool {
        let mut entries = paths.iter().flat_map(WalkDir::new);
        // One check for each entry, since many entries may lie between two files. `--limit` counts only files.
        for entry in entries.by_ref().with_token(&stops.all) {
            match self.file(entry) {
                Ok(Some(path)) => {
                    self.counts.found.add(1);
                    // The file that comes back counts as missing.
                    if files.send_with_token(path, &stops.search).is_err() {
                        break;
                    }
                }
                Ok(None) => {}
                Err((path, error)) => {
                    self.counts.unsearched.add(1);
                    match path {
                        Some(path) => self
                            .console
                            .complain(format_args!("{}: {error}", path.display())),
                        None => self.console.complain(error),
                    }
                }
            }
        }
        drop(files); // so that the hashing threads end
        let mut all_counted = true;
        #[cfg(feature = "tokens")]
        for entry in entries.try_with_token(TimeoutToken::new(COUNTING).named("counting")) {
            let Ok(entry) = entry else { return false };
            match self.file(entry) {
                Ok(file) => self.counts.found.add(file.is_some().into()),
                // A complete run would have reported it, so the count is not complete.
                Err(_) => all_counted = false,
            }
        }
        all_counted
    }

    /// The path of the entry, if it is to be hashed.
    ///
    /// # Errors
    ///
    /// What is wrong with the entry, with its path if that is known.
    fn file(
        &self,
        entry: walkdir::Result<DirEntry>,
    ) -> Result<Option<PathBuf>, (Option<PathBuf>, io::Error)> {
        let entry = entry.map_err(|error| {
            let path = error.path().map(PathBuf::from);
            // The text of walkdir's error would repeat the path.
            let error = error.into_io_error();
            let error = error.unwrap_or_else(|| io::Error::other("leads back to itself"));
            (path, error)
        })?;
        match self.is_wanted(&entry) {
            Ok(is_wanted) => Ok(is_wanted.then(|| entry.into_path())),
            Err(error) => Err((Some(entry.into_path()), error)),
        }
    }

    fn is_wanted(&self, entry: &DirEntry) -> io::Result<bool> {
        let kind = entry.file_type();
        let given = entry.depth() == 0;
        // Only links, the given paths and the possible output may take a second call of the system.
        let may_be_output = self.output.is_some_and(|(_, number)| number == entry.ino());
        if kind.is_file() && !may_be_output {
            return Ok(true);
        }
        if kind.is_dir() || !(given || kind.is_symlink() || may_be_output) {
            return Ok(false);
        }
        let metadata = fs::metadata(entry.path())?;
        if given && !metadata.is_file() && !metadata.is_dir() {
            return Err(io::Error::other("neither a file nor a folder"));
        }
        let is_output = self.output == Some((metadata.dev(), metadata.ino()));
        Ok(metadata.is_file() && !is_output)
    }
}
