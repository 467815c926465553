//! Hashes every file under your folders with SHA-256, on all cores, and prints lines that `sha256sum --check` accepts.
//! If it is stopped, it still prints all finished lines, and reports what is missing. It also checks such lines.
//!
//! ```text
//! treehash photos > SHA256SUMS
//! treehash --timeout 5s --limit 1000 /usr/share
//! treehash . | head
//! treehash --check SHA256SUMS
//! ```
//!
//! One thread finds files (`find.rs`, or `list.rs` for `--check`) and sends them over a channel (`feed.rs`) to rayon's
//! threads, which hash them (`run.rs`, `worker.rs`). Everything that may stop them is added up in one place
//! (`stops.rs`). The rest of the program only gets a token to check.
#![cfg(unix)]

mod arguments;
mod console;
mod counts;
mod destination;
mod feed;
mod file_id;
mod find;
mod hash;
mod line;
mod list;
mod log;
mod output;
mod replacement;
mod report;
mod resume;
mod run;
mod status;
mod stops;
mod verdict;
mod worker;

use std::process::ExitCode;

/// Runs the program with its command-line arguments. Does not return if a signal ends it.
pub fn main() -> ExitCode {
    let arguments = arguments::Arguments::read();
    run::run(&arguments).unwrap_or_else(|error| {
        console::complain(error);
        ExitCode::from(2)
    })
}
