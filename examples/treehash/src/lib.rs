//! Hashes every file under some folders with SHA-256, on all cores, and prints lines that `sha256sum -c` accepts. It
//! stops when it is told to, prints what was done by then, and says what is missing.
//!
//! ```text
//! treehash photos > SHA256SUMS
//! treehash --timeout 5s --limit 1000 /usr/share
//! treehash . | head
//! ```
//!
//! One thread finds files (`find.rs`) and sends them over a channel to rayon's threads, which hash them (`run.rs`,
//! `hash.rs`). What may stop them is made in one place (`stops.rs`); the rest is handed a token and knows no more.
#![cfg(unix)]
#![cfg_attr(
    not(feature = "tokens"),
    allow(dead_code, unused_mut, reason = "what stops it is left out")
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

/// Does what the program's arguments say. Does not return where a signal ends it.
pub fn main() -> ExitCode {
    let arguments = arguments::Arguments::parse();
    run::run(&arguments).unwrap_or_else(|error| {
        console::complain(error);
        ExitCode::from(2)
    })
}
