//! Counts the lines of files: one thread finds them, several read them, one writes the results. A stop at any moment
//! loses nothing: the counts at the end account for each file that was found.
//!
//! ```text
//! pipeline src tests
//! pipeline --timeout 0.5 --limit 100 /usr/include
//! ```

use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use std::{fs, thread};

use cantok_channel::SendTokenError;
use cantok_channel::prelude::*;
use cantok_core::{CancellationError, CounterToken, SimpleToken, TimeoutToken, Token};
use clap::Parser;
use crossbeam_channel::{Receiver, Sender, bounded};

/// Counts the lines of all files in folders and their subfolders. Enter stops it.
///
/// Links are not followed. Exit status: 0 when all files were counted, 2 for wrong arguments or errors of reading and
/// writing, 3 when it was stopped before it was done.
#[derive(Parser)]
struct Arguments {
    #[arg(default_value = ".")]
    folders: Vec<PathBuf>,
    /// The number of threads that read files.
    #[arg(long, value_name = "THREADS", default_value = "4")]
    readers: NonZeroUsize,
    /// Stop after this many seconds.
    #[arg(long, value_name = "SECONDS", value_parser = seconds, allow_negative_numbers = true)]
    timeout: Option<Duration>,
    /// Stop after this many files.
    #[arg(long, value_name = "FILES", allow_negative_numbers = true)]
    limit: Option<u64>,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number")?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

/// A file and its number of lines.
type Counted = (PathBuf, io::Result<usize>);

/// The result of the finder.
#[derive(Default)]
struct Found {
    files: usize,
    /// Folders and entries.
    unreadable: usize,
    /// Files that it could not send any more: none or one.
    handed_back: usize,
    stopped: Option<CancellationError>,
}

/// Sends all files below the folders until the token is cancelled.
fn find(mut folders: Vec<PathBuf>, files: &Sender<PathBuf>, token: Token) -> Found {
    let files = files.with_token(token);
    let mut found = Found::default();
    while let Some(folder) = folders.pop() {
        // This peeks, since the limit counts files only.
        found.stopped = files.token().cancellation();
        if found.stopped.is_some() {
            break;
        }
        let mut unreadable = |error| {
            eprintln!("{}: {error}", folder.display());
            found.unreadable += 1;
        };
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) => {
                unreadable(error);
                continue;
            }
        };
        for entry in entries {
            let entry = entry.and_then(|entry| Ok((entry.path(), entry.file_type()?)));
            let (path, kind) = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    unreadable(error);
                    continue;
                }
            };
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_file() {
                found.files += 1;
                match files.send(path) {
                    Ok(()) => {}
                    // The error holds the file, which other programs may need.
                    Err(SendTokenError::Cancelled(_, error)) => {
                        found.handed_back = 1;
                        found.stopped = Some(error);
                        return found;
                    }
                    Err(SendTokenError::Disconnected(_)) => unreachable!("`main` has a receiver"),
                }
            }
        }
    }
    found
}

/// Counts lines until there are no more files, or the token is cancelled. Always sends its results, since `main`
/// receives all of them.
fn read(files: &Receiver<PathBuf>, counted: &Sender<Counted>, token: &Token) {
    for path in files.with_token(token) {
        let lines = fs::read(&path).map(|text| text.iter().filter(|&&byte| byte == b'\n').count());
        let Ok(()) = counted.send((path, lines)) else {
            unreachable!("`main` receives until all senders are gone")
        };
    }
}

fn cancel_on_enter(token: SimpleToken) {
    // Never joined, since no token interrupts a blocked read: it ends with the program.
    thread::spawn(move || {
        if io::stdin()
            .read_line(&mut String::new())
            .is_ok_and(|bytes| bytes > 0)
        {
            token.cancel();
        }
    });
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let enter = SimpleToken::new().named("enter");
    let output = SimpleToken::new().named("output");
    let mut token = &enter + &output;
    if let Some(timeout) = arguments.timeout {
        token += TimeoutToken::new(timeout).named("--timeout");
    }
    // The limit stops the finder alone, so that all files found by then are counted.
    let mut finding: Token = token.child().into();
    if let Some(limit) = arguments.limit {
        finding += CounterToken::new(limit).named("--limit");
    }
    cancel_on_enter(enter);

    let (file_sender, files) = bounded(1_000);
    let (counted_sender, counted) = bounded::<Counted>(1_000);
    let mut written = 0;
    let mut unreadable = 0;
    let mut unwritten = 0;
    let found = thread::scope(|scope| {
        let finder = scope.spawn(move || find(arguments.folders, &file_sender, finding));
        for _ in 0..arguments.readers.get() {
            let (files, counted_sender, token) = (&files, counted_sender.clone(), &token);
            scope.spawn(move || read(files, &counted_sender, token));
        }
        drop(counted_sender); // so that the loop below ends with the readers

        // Line by line, so that each line counted as written is written.
        let mut out = io::stdout().lock();
        for (path, lines) in &counted {
            let lines = match lines {
                Ok(lines) => lines,
                Err(error) => {
                    eprintln!("{}: {error}", path.display());
                    unreadable += 1;
                    continue;
                }
            };
            match writeln!(out, "{lines}\t{}", path.display()) {
                Ok(()) => written += 1,
                Err(error) => {
                    unwritten += 1;
                    output.cancel_with(error);
                }
            }
        }
        finder.join().expect("the finder does not panic")
    });

    let left = files.with_token(&token).drain().count();
    let Found {
        files, handed_back, ..
    } = found;
    eprintln!(
        "{files} files found: {written} written, {unwritten} not, {unreadable} unreadable, {left} left in the channel, \
         {handed_back} handed back to the finder"
    );
    assert_eq!(files, written + unwritten + unreadable + left + handed_back);
    if found.unreadable > 0 {
        eprintln!("{} folders or entries could not be read", found.unreadable);
    }
    // A cancel after the end has stopped nothing.
    let readers_stopped = token.cancellation().filter(|_| left > 0);
    let stopped = found.stopped.or(readers_stopped);
    if let Some(error) = &stopped {
        eprintln!("stopped: {error}");
    }
    if unwritten > 0 {
        ExitCode::from(2)
    } else if stopped.is_some() {
        ExitCode::from(3)
    } else if unreadable + found.unreadable > 0 {
        ExitCode::from(2)
    } else {
        ExitCode::SUCCESS
    }
}
