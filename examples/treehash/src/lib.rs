//! Hashes every file under your folders with SHA-256, on all cores, and prints lines that `sha256sum -c` accepts. If it
//! is stopped, it still prints all finished lines, and reports what is missing.
//!
//! ```text
//! treehash photos > SHA256SUMS
//! treehash --timeout 5s --limit 1000 /usr/share
//! treehash . | head
//! ```
//!
//! One thread finds files (`find.rs`) and sends them over a channel to rayon's threads, which hash them (`run.rs`,
//! `hash.rs`). Everything that may stop them is added up in one place (`stops.rs`). The rest of the program only gets
//! a token to check.
#![cfg(unix)]
#![cfg_attr(
    not(feature = "tokens"),
    allow(dead_code, unused_mut, reason = "the tokens are left out")
)]

mod arguments;
mod console;
mod counts;
mod find;
mod hash;
mod line;
#[cfg(feature = "tokens")]
mod log;
mod output;
mod run;
#[cfg(feature = "tokens")]
mod status;
#[cfg(feature = "tokens")]
mod stops;
#[cfg_attr(not(feature = "tokens"), path = "no_tokens.rs")]
mod tokens;

use clap::Parser;
use std::process::ExitCode;

/// Runs the program with its command-line arguments. Does not return if a signal ends it.
pub fn main() -> ExitCode {
    let arguments = arguments::Arguments::parse();
    run::run(&arguments).unwrap_or_else(|error| {
        console::complain(error);
        ExitCode::from(2)
    })
}
