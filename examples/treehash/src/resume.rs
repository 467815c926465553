use crate::line::{Line, is_start, name, parse};
use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::os::unix::ffi::OsStringExt;
use std::path::Path;

/// A list that a stopped run has left, to be continued.
#[derive(Debug)]
pub(crate) struct Resumed {
    file: File,
    names: HashSet<Vec<u8>>,
}

impl Resumed {
    /// Opens a list for appending, and reads the names in it. Takes away a last line that was cut off.
    ///
    /// # Errors
    ///
    /// If it is something else than a list, which is not touched then.
    pub(crate) fn open(path: &Path) -> io::Result<Resumed> {
        let options = File::options()
            .read(true)
            .append(true)
            .create(true)
            .to_owned();
        let file = options.open(path)?;
        if !file.metadata()?.is_file() {
            return Err(io::Error::other("not a file"));
        }
        let mut names = HashSet::new();
        let mut whole = 0;
        let mut number = 0;
        let mut lines = BufReader::new(&file);
        let mut line = Vec::new();
        while lines.read_until(b'\n', &mut line)? > 0 {
            number += 1;
            let is_whole = line.ends_with(b"\n");
            match parse(&line) {
                _ if !is_whole && is_start(&line) => break,
                Line::Digest(path, _) if is_whole => {
                    names.insert(path.into_os_string().into_vec());
                }
                Line::Empty if is_whole => {}
                _ => {
                    let malformed = format!("line {number} is not one of a list of SHA-256");
                    return Err(io::Error::other(malformed));
                }
            }
            whole += line.len() as u64;
            line.clear();
        }
        file.set_len(whole)?;
        Ok(Resumed { file, names })
    }

    pub(crate) fn has(&self, path: &Path) -> bool {
        self.names.contains(name(path))
    }

    /// What is to be appended to.
    pub(crate) fn file(&self) -> io::Result<File> {
        self.file.try_clone()
    }
}
