//! Programs that a test needs: the test's own executable, run again.
#![allow(dead_code, reason = "each test uses a part of it")]

use std::fmt::Display;
use std::io::{self, Write};
use std::{env, process};

/// Begins what a program tells its test.
const MARK: &str = "@@ ";

/// Set in the programs that a test starts.
const PROGRAM: &str = "CANTOK_TEST_PROGRAM";

/// In the process of the test of this name: the command by which a shell starts the program. In the program: does `f`, and
/// ends.
pub(crate) fn program(test: &str, f: impl FnOnce()) -> String {
    if env::var_os(PROGRAM).is_some() {
        f();
        process::exit(0);
    }
    let this = env::current_exe().unwrap();
    let this = this.to_str().unwrap();
    format!("{PROGRAM}=1 '{this}' {test} --exact --nocapture --test-threads=1")
}

/// Tells the test that started this program, on a line of its own.
pub(crate) fn tell(mark: impl Display) {
    let line = format!("\n{MARK}{mark}\n");
    io::stdout().write_all(line.as_bytes()).unwrap();
    io::stdout().flush().unwrap();
}
