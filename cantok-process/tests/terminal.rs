//! Ctrl-C, typed into a terminal, and `nohup`.
#![cfg(target_os = "linux")]

#[path = "support/peer.rs"]
mod peer;
#[path = "support/program.rs"]
mod program;
#[path = "../../cantok-signal/tests/support/pseudo_terminal.rs"]
mod pseudo_terminal;

use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use cantok_core::{ConditionToken, SimpleToken, Token};
use cantok_process::Signal;
use cantok_process::prelude::*;
use cantok_testkit::watchdog;
use peer::shell;
use program::{program, tell};
use rustix::process::{ioctl_tiocsctty, setsid};
use signal_hook::consts::SIGINT;
use signal_hook::flag;

const NEVER: Duration = Duration::MAX;
const CTRL_C: &[u8] = b"\x03";

/// Makes standard input the terminal that this program's signals come from. The token is cancelled by Ctrl-C.
fn at_the_terminal() -> ConditionToken {
    setsid().unwrap();
    ioctl_tiocsctty(io::stdin()).unwrap();
    let interrupted = Arc::new(AtomicBool::new(false));
    flag::register(SIGINT, Arc::clone(&interrupted)).unwrap();
    ConditionToken::new(move || interrupted.load(Ordering::SeqCst))
}

/// Runs the program in a terminal, types Ctrl-C once its child is ready, and returns what it tells.
fn interrupted(program: String) -> String {
    watchdog("a program in a terminal", move || {
        let (ours, its) = pseudo_terminal::open();
        let end = || Stdio::from(its.try_clone().unwrap());
        let mut program = Command::new("sh")
            .args(["-c", &format!("exec env {program}")])
            .stdin(end())
            .stdout(end())
            .spawn()
            .unwrap();
        drop(its);
        let mut lines = BufReader::new(ours.try_clone().unwrap()).lines();
        let mut next = || {
            loop {
                let line = lines.next().expect("a line").expect("a line");
                if let Some((_, told)) = line.split_once("@@ ") {
                    return told.trim_end().to_owned();
                }
            }
        };
        assert_eq!(next(), "ready");
        (&ours).write_all(CTRL_C).unwrap();
        let told = next();
        assert!(program.wait().unwrap().success());
        told
    })
}

fn run(group: bool, token: &Token) -> Option<i32> {
    // Ends by what it gets, if that is not ignored as by `nohup`.
    let script =
        "trap 'exit 9' INT; trap 'exit 7' TERM; echo '@@ ready'; while :; do sleep 0.01; done";
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    match command.with_token(token).group(group).grace(NEVER).status() {
        Ok(status) => status.code(),
        Err(error) => error.status().unwrap().code(),
    }
}

/// It is in the foreground with its parent.
#[test]
fn without_a_group_ctrl_c_reaches_the_child() {
    let test = "without_a_group_ctrl_c_reaches_the_child";
    let program = program(test, || {
        let _handled = at_the_terminal();
        tell(format_args!("{:?}", run(false, &Token::never())));
    });
    assert_eq!(interrupted(program), "Some(9)");
}

#[test]
fn with_a_group_ctrl_c_reaches_the_program_alone() {
    let test = "with_a_group_ctrl_c_reaches_the_program_alone";
    let program = program(test, || {
        let token = at_the_terminal();
        tell(format_args!("{:?}", run(true, &token)));
    });
    assert_eq!(interrupted(program), "Some(7)");
}

/// It is in the background, where a terminal is not read.
#[test]
fn a_group_that_reads_the_terminal_is_stopped_until_the_cancel() {
    let test = "a_group_that_reads_the_terminal_is_stopped_until_the_cancel";
    let program = program(test, || {
        let _handled = at_the_terminal();
        let token = SimpleToken::new();
        let mut command = Command::new("cat");
        let mut child = command
            .with_token(&token)
            .group(true)
            .grace(NEVER)
            .spawn()
            .unwrap();
        let stat = format!("/proc/{}/stat", child.id());
        let is_stopped = || fs::read_to_string(&stat).unwrap().contains(") T ");
        while !is_stopped() {
            thread::yield_now();
        }
        tell("ready");
        token.cancel();
        tell(format_args!(
            "{:?}",
            child.wait().unwrap_err().status().unwrap().signal()
        ));
    });
    assert_eq!(interrupted(program), "Some(15)");
}

#[test]
fn under_nohup_sighup_is_ignored_and_sigterm_is_not() {
    for (signal, expected) in [(Signal::HANGUP, 9), (Signal::TERMINATION, 15)] {
        watchdog("a child under nohup", move || {
            let token = SimpleToken::new();
            let (mut command, mut peer) =
                shell("exec nohup sh -c 'echo ready >&3; exec sleep 1000' >/dev/null 2>&1");
            peer.cancel_when_ready(&token, || {
                let grace = match signal {
                    Signal::HANGUP => Duration::from_millis(20),
                    _ => NEVER,
                };
                let error = command
                    .with_token(&token)
                    .signal(signal)
                    .grace(grace)
                    .status();
                let status = error.unwrap_err().status().unwrap();
                assert_eq!(status.signal(), Some(expected));
            });
        });
    }
}
