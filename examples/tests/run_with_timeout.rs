//! The example `run_with_timeout` ends as `timeout(1)` does, and prints what it prints.
#![cfg(unix)]

mod support;

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::thread;

use rustix::process::{Pid, Signal, kill_process};
use support::{command, is_ignored, soon};

/// How a program ends: its code or its signal, and what it has printed.
type End = (Option<i32>, Option<i32>, String);

fn ours(arguments: &[&str]) -> Command {
    command("run_with_timeout", arguments)
}

fn theirs(arguments: &[&str]) -> Command {
    let mut command = Command::new("timeout");
    command.args(arguments);
    command
}

/// `timeout(1)` is there, and is that of GNU.
fn is_there() -> bool {
    let version = Command::new("timeout").arg("--version").output();
    let is_there = version.is_ok_and(|output| output.stdout.starts_with(b"timeout (GNU"));
    if !is_there {
        eprintln!("not compared, since there is no timeout(1) of GNU");
    }
    is_there
}

fn end(mut command: Command) -> End {
    command.stdin(Stdio::null());
    let output = soon("the end", move || command.output().unwrap());
    let printed = String::from_utf8(output.stdout).unwrap();
    (output.status.code(), output.status.signal(), printed)
}

/// Before its child runs, `timeout(1)` would end without it.
fn wait_until_it_sleeps(id: u32) {
    let is_asleep = || {
        let stat = fs::read_to_string(format!("/proc/{id}/stat"));
        // Without such a file, the test depends on the timing.
        stat.map_or(true, |stat| {
            stat.rsplit_once(") ")
                .is_some_and(|(_, more)| more.starts_with('S'))
        })
    };
    while !is_asleep() {
        thread::yield_now();
    }
}

#[test]
fn it_ends_as_timeout_does() {
    if !is_there() {
        return;
    }
    let (kill, signal) = ("--kill-after=0.1", "--signal=2");
    let stubborn = "trap '' TERM; echo begun; while :; do sleep 0.01; done";
    let polite = "trap 'exit 7' TERM; echo begun; while :; do sleep 0.01; done";
    let polite_int = "trap 'exit 7' INT; echo begun; while :; do sleep 0.01; done";
    for arguments in [
        &["100", "true"][..],
        &["100", "false"],
        &["100", "sh", "-c", "echo out; exit 3"],
        &["0", "sh", "-c", "echo out; exit 3"],
        &["100", "sh", "-c", "exit 255"],
        &["0.5", "sleep", "1000"],
        &["0.5", "sh", "-c", polite],
        &[signal, "0.5", "sh", "-c", polite_int],
        &["--signal=9", "0.5", "sleep", "1000"],
        &[kill, "0.5", "sh", "-c", stubborn],
        &[kill, "0.5", "sh", "-c", polite],
        &[kill, "100", "true"],
        &["100", "/this/does/not/exist"],
        &["100", "/etc/passwd"],
        &["100"],
        &["no-number", "true"],
    ] {
        // A shell cannot trap a signal that was ignored when it began.
        if arguments.contains(&signal) && is_ignored(Signal::INT) {
            continue;
        }
        let [our, their] = [ours(arguments), theirs(arguments)].map(end);
        let code = |(code, signal, _): &End| code.or(signal.map(|signal| 128 + signal));
        assert_eq!(code(&our), code(&their), "{arguments:?}");
        assert_eq!(our.2, their.2, "{arguments:?}");
    }
}

/// It ends by the same signal, and so do the children of the command.
#[test]
fn a_signal_ends_it_as_it_ends_timeout() {
    if !is_there() {
        return;
    }
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        if is_ignored(signal) {
            continue;
        }
        // The innermost process says that all have begun: a shell that is just starting a child can miss a signal.
        let script = "sh -c 'echo begun; exec sleep 1000'; :";
        let arguments = ["1000", "sh", "-c", script];
        let ends = [ours(&arguments), theirs(&arguments)].map(|mut command| {
            let mut child = command
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let mut printed = BufReader::new(child.stdout.take().unwrap());
            soon("its end", move || {
                let mut line = String::new();
                printed.read_line(&mut line).unwrap();
                assert_eq!(line, "begun\n");
                wait_until_it_sleeps(child.id());
                kill_process(Pid::from_child(&child), signal).unwrap();
                // Ends when nothing that was started holds the pipe any more.
                while printed.read_line(&mut line).unwrap() > 0 {}
                child.wait().unwrap()
            })
        });
        let [ours, theirs] = ends.map(|status| match status.signal() {
            Some(signal) => 128 + signal,
            None => status.code().unwrap(),
        });
        assert_eq!(ours, theirs, "{signal:?}");
    }
}
