//! The charts and the table that are checked in are what is made of the results that are.

use std::process::Command;

#[test]
fn nothing_was_drawn_by_hand() {
    let figures = env!("CARGO_BIN_EXE_cantok-figures");
    let output = Command::new(figures).args(["draw", "--check"]).output();
    let output = output.unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
}
