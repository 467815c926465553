//! Tests that run the program. None measures its own process.
#![cfg(unix)]

mod check;
mod errors;
mod like_sha256sum;
mod resume;
mod stops;
#[path = "../support/mod.rs"]
mod support;
mod tells;
// Elsewhere there is no way to open the other end without making it this process's own terminal.
#[cfg(target_os = "linux")]
mod terminal;
mod whole_output;
