//! The same program with nothing that could stop it: the same libraries, threads and buffers.

#[allow(dead_code, unused_imports, reason = "a part of it is enough")]
#[path = "../../src/line/mod.rs"]
mod line;

use crossbeam_channel::{RecvTimeoutError, Sender, bounded};
use line::{Digest, line};
use rayon::prelude::*;
use rustix::fs::OFlags;
use sha2::{Digest as _, Sha256};
use std::fs::OpenOptions;
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;
use walkdir::WalkDir;

const AHEAD: usize = 10_000;

const BLOCK: usize = 128 * 1024;

const FLUSH: Duration = Duration::from_millis(50);

const WHOLE: usize = 4096;

/// What the progress would show.
#[derive(Debug, Default)]
struct Counts {
    found: AtomicU64,
    hashed: AtomicU64,
    bytes: AtomicU64,
}

/// Prints a line for each file of a tree.
pub(crate) fn run(tree: &Path) {
    let counts = &Counts::default();
    let output = &Output::default();
    let (sender, files) = bounded(AHEAD);
    let (over, is_over) = bounded::<()>(0);
    thread::scope(|scope| {
        // The thread of the progress, which a run as short as this does not show.
        let progress = is_over.clone();
        scope.spawn(move || progress.recv());
        scope.spawn(move || {
            while is_over.recv_timeout(FLUSH) == Err(RecvTimeoutError::Timeout) {
                output.flush();
            }
        });
        scope.spawn(move || find(tree, &sender, counts));
        files.into_iter().par_bridge().for_each_init(
            || vec![0; BLOCK],
            |buffer, path| {
                let digest = hash(&path, buffer, counts).expect("a readable file");
                counts.hashed.fetch_add(1, Ordering::Relaxed);
                output.push(&line(&path, &digest));
            },
        );
        output.flush();
        drop(over);
    });
}

fn find(tree: &Path, files: &Sender<PathBuf>, counts: &Counts) {
    for entry in WalkDir::new(tree) {
        let entry = entry.expect("a readable folder");
        if entry.file_type().is_file() {
            counts.found.fetch_add(1, Ordering::Relaxed);
            files.send(entry.into_path()).expect("a receiver");
        }
    }
}

fn hash(path: &Path, buffer: &mut [u8], counts: &Counts) -> io::Result<Digest> {
    let nonblocking = OFlags::NONBLOCK.bits() as i32;
    let mut file = OpenOptions::new()
        .read(true)
        .custom_flags(nonblocking)
        .open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("not a file"));
    }
    let mut hasher = Sha256::new();
    loop {
        match file.read(buffer)? {
            0 => return Ok(hasher.finalize().into()),
            length => {
                hasher.update(&buffer[..length]);
                counts.bytes.fetch_add(length as u64, Ordering::Relaxed);
            }
        }
    }
}

#[derive(Debug, Default)]
struct Output(Mutex<Vec<u8>>);

impl Output {
    fn push(&self, line: &[u8]) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() + line.len() > WHOLE {
            write(&mut lines);
        }
        lines.extend(line);
    }

    fn flush(&self) {
        write(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

fn write(lines: &mut Vec<u8>) {
    let mut stdout = io::stdout().lock();
    stdout.write_all(lines).expect("written");
    // Its own buffer ends at the last line.
    lines.clear();
}
