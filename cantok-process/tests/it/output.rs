//! What a child writes is read while it runs.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::peer::shell;
use cantok_core::{Cause, SimpleToken};
use cantok_process::CommandError;
use cantok_process::prelude::*;
use cantok_testkit::watchdog;

const NEVER: Duration = Duration::MAX;

#[test]
fn it_is_what_the_child_wrote() {
    let token = SimpleToken::new();
    let mut command = Command::new("sh");
    command.args(["-c", "echo out; echo err >&2; exit 3"]);
    let output = command.output_with_token(&token).unwrap();
    assert_eq!(output, command.output().unwrap());
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(output.stdout, b"out\n");
    assert_eq!(output.stderr, b"err\n");
}

/// A pipe holds 64 KiB: one that is not read stops the child.
#[test]
fn a_child_that_fills_both_pipes_does_not_wait() {
    let output = watchdog("a child that fills both pipes", || {
        let script =
            "head -c 1000000 /dev/zero; head -c 1000000 /dev/zero >&2; head -c 1000000 /dev/zero";
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command.output_with_token(&SimpleToken::new()).unwrap()
    });
    assert_eq!(output.stdout.len(), 2_000_000);
    assert_eq!(output.stderr.len(), 1_000_000);
}

#[test]
fn a_child_that_closes_its_pipes_and_lives_on_is_waited_for() {
    watchdog("a child that closes its pipes", || {
        let token = SimpleToken::new();
        let (mut command, mut peer) =
            shell("echo out; exec >&- 2>&-; echo ready >&3; read go <&3; exit 3");
        thread::scope(|scope| {
            scope.spawn(|| {
                peer.expect("ready");
                peer.say("go");
            });
            let output = command.output_with_token(&token).unwrap();
            assert_eq!(output.status.code(), Some(3));
            assert_eq!(output.stdout, b"out\n");
        });

        let (mut command, mut peer) =
            shell("echo out; exec >&- 2>&-; echo ready >&3; exec sleep 1000");
        peer.cancel_when_ready(&token, || {
            match command.with_token(&token).grace(NEVER).output() {
                Err(CommandError::Cancelled { status, output, .. }) => {
                    assert_eq!(status.unwrap().signal(), Some(15));
                    assert_eq!(output.stdout, b"out\n");
                }
                other => panic!("{other:?}"),
            }
        });
    });
}

#[test]
fn an_error_has_what_was_written_until_then_and_while_it_ended() {
    watchdog("the output of a cancelled child", || {
        let token = SimpleToken::new();
        let script = "trap 'echo bye; exit 7' TERM; echo out; echo err >&2; echo ready >&3; \
                      while :; do sleep 0.01; done";
        let (mut command, mut peer) = shell(script);
        peer.cancel_when_ready(&token, || {
            match command.with_token(&token).grace(NEVER).output() {
                Err(CommandError::Cancelled { status, output, .. }) => {
                    assert_eq!(status.unwrap().code(), Some(7));
                    assert_eq!(output.stdout, b"out\nbye\n");
                    assert_eq!(output.stderr, b"err\n");
                }
                other => panic!("{other:?}"),
            }
        });
    });
}

/// The plain `Command::output` waits for the grandchild.
#[test]
fn a_cancel_does_not_wait_for_others_that_hold_the_pipes() {
    watchdog("a grandchild that holds the pipes", || {
        let token = SimpleToken::new();
        let script = "(echo grandchild; echo ready >&3; read go <&3) & wait $!";
        let (mut command, mut peer) = shell(script);
        peer.cancel_when_ready(&token, || {
            match command.with_token(&token).grace(NEVER).output() {
                Err(CommandError::Cancelled { status, output, .. }) => {
                    assert_eq!(status.unwrap().signal(), Some(15));
                    assert_eq!(output.stdout, b"grandchild\n");
                }
                other => panic!("{other:?}"),
            }
        });
        peer.say("go");
        drop(command);
        assert_eq!(peer.until_all_are_gone(), "");
    });
}

#[test]
fn a_child_that_forks_and_exits_leaves_its_status_to_the_error() {
    watchdog("a child that forks and exits", || {
        let token = SimpleToken::new();
        let (mut command, mut peer) =
            shell("(echo ready >&3; read go <&3; echo more) & echo out; exit 3");
        peer.cancel_when_ready(&token, || {
            match command.with_token(&token).grace(NEVER).output() {
                Err(CommandError::Cancelled { status, output, .. }) => {
                    // Asked to end, or had ended by itself before.
                    let status = status.unwrap();
                    assert!(status.code() == Some(3) || status.signal() == Some(15));
                    assert!([&b"out\n"[..], b""].contains(&&output.stdout[..]));
                }
                other => panic!("{other:?}"),
            }
        });
        peer.say("go");
        drop(command);
        peer.until_all_are_gone();
    });
}

#[test]
fn standard_input_is_that_of_the_command() {
    let token = SimpleToken::new();
    let mut command = Command::new("cat");
    command.stdin(std::fs::File::open("/proc/self/cmdline").unwrap());
    let output = command.output_with_token(&token).unwrap();
    assert!(!output.stdout.is_empty());
    assert!(output.status.success());
}

#[test]
fn a_limit_ends_a_child_that_writes_more() {
    watchdog("a child that writes more than its limit", || {
        let token = SimpleToken::new();
        let mut command = Command::new("sh");
        command.args(["-c", "echo err >&2; exec cat /dev/zero"]);
        match command.with_token(&token).output_limit(100_000).output() {
            Err(CommandError::OutputLimit {
                limit,
                status,
                output,
                ..
            }) => {
                assert_eq!(limit, 100_000);
                assert_eq!(status.signal(), Some(15));
                assert_eq!(output.stdout.len() + output.stderr.len(), 100_000);
            }
            other => panic!("{other:?}"),
        }
        assert!(token.keep_on()); // the limit is the child's alone
    });
}

/// What it writes meanwhile is read, or it would wait until it is killed.
#[test]
fn a_child_over_its_limit_can_say_goodbye() {
    watchdog("a child that says goodbye", || {
        let script = "trap 'head -c 1000000 /dev/zero; exit 7' TERM; echo 12345678; while :; do sleep 0.01; done";
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        let token = SimpleToken::new();
        let error = command
            .with_token(&token)
            .grace(NEVER)
            .output_limit(8)
            .output()
            .unwrap_err();
        assert_eq!(error.status().unwrap().code(), Some(7));
        assert_eq!(error.to_string(), "the child wrote more than 8 bytes");
        assert!(!error.is_cancelled());
        assert_eq!(io::Error::from(error).kind(), io::ErrorKind::Other);
    });
}

#[test]
fn a_child_that_writes_as_much_as_its_limit_is_left_alone() {
    let token = SimpleToken::new();
    let mut command = Command::new("sh");
    command.args(["-c", "printf 1234; printf 56 >&2"]);
    let output = command.with_token(&token).output_limit(6).output().unwrap();
    assert_eq!(
        (output.stdout, output.stderr),
        (b"1234".to_vec(), b"56".to_vec())
    );
    let error = command
        .with_token(&token)
        .output_limit(5)
        .output()
        .unwrap_err();
    assert!(matches!(error, CommandError::OutputLimit { limit: 5, .. }));
}

#[test]
fn a_silent_child_is_ended_by_the_idle_limit() {
    watchdog("a silent child", || {
        let idle = Duration::from_millis(50);
        let token = SimpleToken::new();
        let mut command = Command::new("sh");
        command.args(["-c", "echo out; exec sleep 1000"]);
        match command.with_token(&token).idle(idle).output() {
            Err(CommandError::Cancelled { error, output, .. }) => {
                assert_eq!(error.cause(), &Cause::Idle { after: idle });
                // Of a child that was slow to start there is nothing.
                assert!(b"out\n".starts_with(&output.stdout));
            }
            other => panic!("{other:?}"),
        }
        assert!(token.keep_on());
    });
}

/// Each line puts the limit off, which is far shorter than the child lives.
#[test]
fn a_child_that_writes_is_not_idle() {
    watchdog("a child that writes", || {
        let (mut command, mut peer) = shell(
            "for i in 1 2 3 4 5 6 7 8 9 10; do echo $i; echo $i >&3; read go <&3; done; exec sleep 1000",
        );
        let token = SimpleToken::new();
        thread::scope(|scope| {
            scope.spawn(|| {
                // As long as the child writes: it writes when it is told to.
                for number in 1..=10 {
                    peer.expect(&number.to_string());
                    peer.say("go");
                }
            });
            let error = command
                .with_token(&token)
                .idle(Duration::from_secs(2))
                .output()
                .unwrap_err();
            match error {
                CommandError::Cancelled { output, .. } => {
                    assert_eq!(output.stdout, b"1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n");
                }
                other => panic!("{other:?}"),
            }
        });
    });
}

#[test]
fn limits_of_output_need_output() {
    let token = SimpleToken::new();
    let mut command = Command::new("true");
    let second = Duration::from_secs(1);
    let errors = [
        command
            .with_token(&token)
            .idle(second)
            .status()
            .unwrap_err(),
        command
            .with_token(&token)
            .output_limit(1)
            .status()
            .unwrap_err(),
        command
            .with_token(&token)
            .idle(second)
            .spawn()
            .map(drop)
            .unwrap_err(),
        command
            .with_token(&token)
            .output_limit(1)
            .spawn()
            .map(drop)
            .unwrap_err(),
    ];
    for error in errors {
        match error {
            CommandError::Io(error) => assert_eq!(error.kind(), io::ErrorKind::InvalidInput),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn of_a_spawned_child_only_what_is_piped_is_read() {
    watchdog("a spawned child", || {
        let token = SimpleToken::new();
        let mut command = Command::new("sh");
        command
            .args(["-c", "cat; echo err >&2"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let child = command.spawn_with_token(&token).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        assert!(output.stdout.is_empty() && output.stderr.is_empty());
    });
}

#[test]
fn a_command_keeps_its_pipes() {
    let mut command = Command::new("true");
    command.output_with_token(&SimpleToken::new()).unwrap();
    let mut child = command.spawn().unwrap();
    assert!(child.stdout.is_some() && child.stderr.is_some());
    child.wait().unwrap();
}
