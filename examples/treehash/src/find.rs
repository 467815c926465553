use crate::counts::Counts;
use crate::destination::Destination;
use crate::feed::{Job, Next, Problem};
use crate::file_id::FileId;
use std::fs;
use std::io;
use std::path::PathBuf;
use walkdir::{DirEntry, DirEntryExt, WalkDir};

/// Finds the files at and below paths.
#[derive(Debug)]
pub(crate) struct Finder<'a> {
    /// Files that are left out: the output, and what it will replace.
    pub(crate) outputs: Vec<FileId>,
    pub(crate) destination: &'a Destination,
    pub(crate) counts: &'a Counts,
}

impl<'a> Finder<'a> {
    pub(crate) fn find(self, paths: &'a [PathBuf]) -> impl Iterator<Item = Next> + 'a {
        let entries = paths.iter().flat_map(WalkDir::new);
        entries.map(move |entry| self.next(entry))
    }

    fn next(&self, entry: walkdir::Result<DirEntry>) -> Next {
        let entry = entry.map_err(|error| Problem {
            path: error.path().map(PathBuf::from),
            // The text of walkdir's error would repeat the path.
            error: (error.into_io_error())
                .unwrap_or_else(|| io::Error::other("leads back to itself")),
        })?;
        let is_wanted = self.is_wanted(&entry);
        let path = entry.into_path();
        match is_wanted {
            Ok(true) if self.destination.has(&path) => {
                self.counts.found.add(1);
                self.counts.skipped.add(1);
                Ok(None)
            }
            Ok(is_wanted) => Ok(is_wanted.then_some(Job {
                path,
                expected: None,
            })),
            Err(error) => Err(Problem {
                path: Some(path),
                error,
            }),
        }
    }

    fn is_wanted(&self, entry: &DirEntry) -> io::Result<bool> {
        let kind = entry.file_type();
        let given = entry.depth() == 0;
        // Only links, the given paths and the possible output may take a second call of the system.
        let may_be_output = self.outputs.iter().any(|id| id.inode == entry.ino());
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
        let is_output = self.outputs.contains(&FileId::of(&metadata));
        Ok(metadata.is_file() && !is_output)
    }
}
