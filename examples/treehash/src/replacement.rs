use crate::file_id::FileId;
use std::fs::{self, File, Metadata, Permissions};
use std::io::{self, Seek};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// A file that appears, or replaces another one, as a whole.
#[derive(Debug)]
pub(crate) struct Replacement {
    path: PathBuf,
    folder: PathBuf,
    /// Has no name, so that nothing is left of it however the process ends.
    unnamed: File,
    replaced: Option<Metadata>,
}

impl Replacement {
    pub(crate) fn new(path: &Path) -> io::Result<Replacement> {
        let (path, replaced) = match fs::metadata(path) {
            // The file and not a link to it is replaced.
            Ok(replaced) => (path.canonicalize()?, Some(replaced)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => (path.to_owned(), None),
            Err(error) => return Err(error),
        };
        if replaced
            .as_ref()
            .is_some_and(|replaced| !replaced.is_file())
        {
            return Err(io::Error::other("not a file"));
        }
        // A relative name alone has an empty parent.
        let folder = match path.parent() {
            Some(folder) if folder != Path::new("") => folder.to_owned(),
            _ => PathBuf::from("."),
        };
        Ok(Replacement {
            unnamed: tempfile::tempfile_in(&folder)?,
            path,
            folder,
            replaced,
        })
    }

    /// What is to be written to.
    pub(crate) fn file(&self) -> io::Result<File> {
        self.unnamed.try_clone()
    }

    /// The file that is replaced.
    pub(crate) fn replaced(&self) -> Option<FileId> {
        self.replaced.as_ref().map(FileId::of)
    }

    /// Gives what was written its name.
    pub(crate) fn appear(&self) -> io::Result<()> {
        let mut unnamed = &self.unnamed;
        unnamed.rewind()?;
        let mut named = tempfile::Builder::new()
            .permissions(Permissions::from_mode(0o666)) // without the bits of the umask, as for any new file
            .tempfile_in(&self.folder)?;
        io::copy(&mut unnamed, &mut named)?;
        if let Some(replaced) = &self.replaced {
            named.as_file().set_permissions(replaced.permissions())?;
        }
        // Before its name, so that it is whole even after a loss of power.
        named.as_file().sync_all()?;
        named.persist(&self.path)?;
        Ok(())
    }
}
