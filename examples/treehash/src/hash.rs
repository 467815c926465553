use crate::counts::Count;
use crate::tokens::{CancellationError, Token};
use rustix::fs::OFlags;
use sha2::{Digest, Sha256};
use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// How many bytes are read between two checks.
pub(crate) const BLOCK: usize = 128 * 1024;

/// Why a file has no digest.
#[derive(Debug)]
pub(crate) enum Unhashed {
    /// It was told to stop before the file's end.
    Stopped,
    /// The file cannot be read.
    Unreadable(io::Error),
}

impl From<CancellationError> for Unhashed {
    fn from(_: CancellationError) -> Self {
        Unhashed::Stopped
    }
}

impl From<io::Error> for Unhashed {
    fn from(error: io::Error) -> Self {
        Unhashed::Unreadable(error)
    }
}

/// The digest of a file, which is read by way of the buffer. Asks the token between blocks.
pub(crate) fn hash(
    path: &Path,
    buffer: &mut [u8],
    token: &Token,
    bytes: &Count,
) -> Result<[u8; 32], Unhashed> {
    // Does not wait for a writer, should the file have become a pipe since it was found.
    let nonblocking = OFlags::NONBLOCK.bits() as i32;
    let mut file = OpenOptions::new()
        .read(true)
        .custom_flags(nonblocking)
        .open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("is not a file any more").into());
    }
    let mut hasher = Sha256::new();
    loop {
        match file.read(buffer) {
            Ok(0) => return Ok(hasher.finalize().into()),
            Ok(length) => {
                hasher.update(&buffer[..length]);
                bytes.add(length as u64);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
        token.check()?;
    }
}
