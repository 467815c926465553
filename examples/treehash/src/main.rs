//! Starts the program, which is in `lib.rs`.

use std::process::ExitCode;

#[cfg(unix)]
fn main() -> ExitCode {
    treehash::main()
}

#[cfg(not(unix))]
fn main() -> ExitCode {
    eprintln!("treehash: needs the sockets and the file numbers of a Unix system");
    ExitCode::from(2)
}
