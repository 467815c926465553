//! Programs that this one starts have the signals and descriptors that they would have without a token.
#![cfg(target_os = "linux")]

use std::os::unix::process::ExitStatusExt;
use std::process::Command;

use crate::support::program::{Program, raise};
use cantok_signal::SignalToken;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

fn printed(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Whether a signal is caught, ignored or blocked.
fn masks(signal: i32) -> Vec<String> {
    let status = printed("cat", &["/proc/self/status"]);
    let kinds = ["SigCgt:", "SigIgn:", "SigBlk:"];
    let masks = status.lines().filter(|line| {
        let (kind, mask) = line.split_at(line.len().min(7));
        kinds.contains(&kind)
            && u64::from_str_radix(mask.trim(), 16).unwrap() >> (signal - 1) & 1 == 1
    });
    masks.map(str::to_owned).collect()
}

#[test]
fn they_handle_ignore_and_block_nothing() {
    let program = Program::of("children::they_handle_ignore_and_block_nothing", |_| {
        let descriptors = || printed("sh", &["-c", "ls /proc/$$/fd"]);
        let before = descriptors();
        let token = SignalToken::termination().unwrap();
        for cancelled in [false, true] {
            if cancelled {
                raise(SIGTERM);
                token.wait();
            }
            for signal in [SIGINT, SIGTERM, SIGHUP] {
                assert_eq!(masks(signal), [""; 0], "{signal}");
                let script = format!("kill -{signal} $$; echo alive");
                let output = Command::new("sh").args(["-c", &script]).output().unwrap();
                assert_eq!(output.status.signal(), Some(signal), "{output:?}");
                assert_eq!(output.stdout, b"", "{output:?}");
            }
            assert_eq!(descriptors(), before);
        }
    });
    program.start("").end().with_code(0);
}

#[test]
fn they_do_not_cancel_the_token() {
    let program = Program::of("children::they_do_not_cancel_the_token", |_| {
        let token = SignalToken::termination().unwrap();
        let status = Command::new("sh").args(["-c", "kill -INT $$"]).status();
        assert_eq!(status.unwrap().signal(), Some(SIGINT));
        raise(SIGTERM);
        let error = token.wait();
        assert_eq!(
            cantok_signal::Signal::of(&error),
            Some(cantok_signal::Signal::TERMINATION)
        );
    });
    program.start("").end().with_code(0);
}
