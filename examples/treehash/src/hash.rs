use crate::counts::Count;
use crate::line::Digest;
use cantok_core::{CancellationError, Token};
use rustix::fs::OFlags;
use sha2::{Digest as _, Sha256};
use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Number of bytes between two checks.
pub(crate) const BLOCK: usize = 128 * 1024;

/// Why a file has no digest.
#[derive(Debug)]
pub(crate) enum Unhashed {
    /// The token was cancelled before the end of the file.
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

/// Returns the digest of a file, which it reads through the buffer. Checks the token between blocks.
pub(crate) fn hash(
    path: &Path,
    buffer: &mut [u8],
    token: &Token,
    bytes: &Count,
) -> Result<Digest, Unhashed> {
    // The file may have become a pipe since it was found. Then this does not wait for a writer.
    let nonblocking = OFlags::NONBLOCK.bits() as i32;
    let mut file = OpenOptions::new()
        .read(true)
        .custom_flags(nonblocking)
        .open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("not a file").into());
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
