use crate::arguments::Arguments;
use crate::file_id::FileId;
use crate::replacement::Replacement;
use crate::resume::Resumed;
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::path::Path;

/// Where the lines go.
#[derive(Debug)]
pub(crate) enum Destination {
    StandardOutput,
    Replacement(Replacement),
    Resumed(Resumed),
}

impl Destination {
    pub(crate) fn open(arguments: &Arguments) -> io::Result<Destination> {
        let (path, destination) = match (&arguments.output, &arguments.resume) {
            (Some(path), _) => (path, Replacement::new(path).map(Destination::Replacement)),
            (_, Some(path)) => (path, Resumed::open(path).map(Destination::Resumed)),
            (None, None) => return Ok(Destination::StandardOutput),
        };
        destination.map_err(|error| io::Error::other(format!("{}: {error}", path.display())))
    }

    /// What is to be written to.
    pub(crate) fn file(&self) -> io::Result<File> {
        match self {
            // Not `Stdout`, which ignores that a descriptor cannot be written.
            Destination::StandardOutput => Ok(io::stdout().as_fd().try_clone_to_owned()?.into()),
            Destination::Replacement(replacement) => replacement.file(),
            Destination::Resumed(resumed) => resumed.file(),
        }
    }

    /// The file that a complete run replaces.
    pub(crate) fn replaced(&self) -> Option<FileId> {
        match self {
            Destination::Replacement(replacement) => replacement.replaced(),
            _ => None,
        }
    }

    /// Whether an earlier run has written a line for this file.
    pub(crate) fn has(&self, path: &Path) -> bool {
        matches!(self, Destination::Resumed(resumed) if resumed.has(path))
    }

    /// Ends a complete run, whose lines have been written.
    pub(crate) fn complete(&self) -> io::Result<()> {
        match self {
            Destination::Replacement(replacement) => replacement.appear(),
            _ => Ok(()),
        }
    }
}
