//! A cancel ends a child: asked first, then killed.

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus};
use std::thread;
use std::time::Duration;

use crate::peer::shell;
use cantok_core::{CancellationError, Cause, SimpleToken, TimeoutToken, Token};
use cantok_process::prelude::*;
use cantok_process::{CommandError, Signal, WithToken};
use cantok_testkit::watchdog;
use rustix::process::{Pid, WaitOptions, kill_process, waitpid};

const NEVER: Duration = Duration::MAX;

type Options = fn(WithToken<&mut Command>) -> WithToken<&mut Command>;

/// Runs the script, cancels once it is ready, and returns how it ended.
fn cancelled_when_ready(script: &'static str, options: Options) -> (CancellationError, ExitStatus) {
    watchdog(script, move || {
        let (mut command, mut peer) = shell(script);
        let token = SimpleToken::new();
        peer.cancel_when_ready(&token, || {
            match options(command.with_token(&token)).status() {
                Err(CommandError::Cancelled { error, status, .. }) => (error, status.unwrap()),
                other => panic!("{other:?}"),
            }
        })
    })
}

#[test]
fn the_polite_signal_ends_a_child_that_obeys() {
    let script = "echo ready >&3; exec sleep 1000";
    let (error, status) = cancelled_when_ready(script, |command| command.grace(NEVER));
    assert_eq!(error.cause(), &Cause::Cancelled);
    assert_eq!(status.signal(), Some(15));
}

/// The signal is one that is not ignored in the background of a script: what was ignored when a shell began, it cannot
/// trap.
#[test]
fn the_signal_can_be_chosen_and_handled() {
    let script = "trap 'exit 7' USR1; echo ready >&3; while :; do sleep 0.01; done";
    let options: Options = |command| command.signal(Signal::USR1).grace(NEVER);
    let (_, status) = cancelled_when_ready(script, options);
    assert_eq!(status.code(), Some(7));
}

#[test]
fn a_child_that_ignores_the_signal_is_killed_after_the_grace() {
    let script = "trap '' TERM; echo ready >&3; while :; do sleep 0.01; done";
    let options: Options = |command| command.grace(Duration::from_millis(20));
    let (_, status) = cancelled_when_ready(script, options);
    assert_eq!(status.signal(), Some(9));
}

#[test]
fn without_grace_it_is_killed_at_once() {
    let script = "trap '' TERM; echo ready >&3; while :; do sleep 0.01; done";
    let (_, status) = cancelled_when_ready(script, |command| command.grace(Duration::ZERO));
    assert_eq!(status.signal(), Some(9));
}

#[test]
fn the_polite_signal_may_be_sigkill() {
    let script = "trap '' TERM; echo ready >&3; while :; do sleep 0.01; done";
    let options: Options = |command| command.signal(Signal::KILL).grace(NEVER);
    let (_, status) = cancelled_when_ready(script, options);
    assert_eq!(status.signal(), Some(9));
}

/// A process that is stopped gets no signal but SIGKILL until it goes on.
#[test]
fn a_stopped_child_is_continued_so_that_it_can_end() {
    let script = "trap 'exit 7' TERM; echo $$ >&3; read go <&3; echo ready >&3; while :; do sleep 0.01; done";
    let status = watchdog("a stopped child", move || {
        let (mut command, mut peer) = shell(script);
        let token = SimpleToken::new();
        let mut child = command.with_token(&token).grace(NEVER).spawn().unwrap();
        let pid = Pid::from_raw(peer.hear().parse().unwrap()).unwrap();
        assert_eq!(child.id(), pid.as_raw_nonzero().get().cast_unsigned());
        peer.say("go");
        peer.expect("ready");
        kill_process(pid, rustix::process::Signal::STOP).unwrap();
        // Until it has stopped.
        let stopped = waitpid(Some(pid), WaitOptions::UNTRACED)
            .unwrap()
            .unwrap()
            .1;
        assert!(stopped.stopped());
        token.cancel();
        child.wait().unwrap_err().status().unwrap()
    });
    assert_eq!(status.code(), Some(7));
}

#[test]
fn a_cancelled_token_starts_nothing() {
    let token = SimpleToken::new();
    token.cancel_with("no more");
    let missing = || Command::new("/this/does/not/exist");
    let results = [
        missing().status_with_token(&token).map(drop),
        missing().output_with_token(&token).map(drop),
        missing().spawn_with_token(&token).map(drop),
    ];
    for result in results {
        match result.unwrap_err() {
            CommandError::Cancelled {
                error,
                status: None,
                output,
                ..
            } => {
                assert_eq!(error.to_string(), "cancelled: no more");
                assert_eq!(output, Default::default());
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_child_that_has_ended_keeps_its_status() {
    watchdog("a child that has ended", || {
        let (mut command, mut peer) = shell("echo ready >&3; exit 3");
        let token = SimpleToken::new();
        let mut child = command.spawn_with_token(&token).unwrap();
        drop(command);
        peer.expect("ready");
        peer.until_all_are_gone();
        // Gone from the socket is not quite gone: until the system says so, without reaping it.
        let pid = Pid::from_raw(child.id().cast_signed()).unwrap();
        let options =
            rustix::process::WaitIdOptions::EXITED | rustix::process::WaitIdOptions::NOWAIT;
        rustix::process::waitid(rustix::process::WaitId::Pid(pid), options).unwrap();
        token.cancel();
        assert_eq!(child.wait().unwrap().code(), Some(3));
    });
}

#[test]
fn a_child_that_ends_by_itself_is_no_error() {
    let token = SimpleToken::new();
    let status = Command::new("sh")
        .args(["-c", "exit 3"])
        .status_with_token(&token);
    assert_eq!(status.unwrap().code(), Some(3));
    let status = Command::new("sh")
        .args(["-c", "kill -TERM $$"])
        .status_with_token(&token);
    assert_eq!(status.unwrap().signal(), Some(15));
}

#[test]
fn a_deadline_ends_a_child_without_a_waiter() {
    watchdog("a deadline", || {
        let mut after = Duration::from_millis(10);
        loop {
            after *= 2;
            let token = TimeoutToken::new(after);
            let mut command = Command::new("sleep");
            let child = command.arg("1000").with_token(&token).grace(NEVER).spawn();
            let Ok(mut child) = child else {
                continue; // the deadline came before the start
            };
            token.wait();
            match child.wait() {
                Err(CommandError::Cancelled { error, status, .. }) => {
                    assert_eq!(error.cause(), &Cause::Timeout { after });
                    assert_eq!(status.unwrap().signal(), Some(15));
                    return;
                }
                other => panic!("{other:?}"),
            }
        }
    });
}

#[test]
fn a_token_that_is_never_cancelled_ends_nothing() {
    let status = Command::new("true").status_with_token(&Token::never());
    assert!(status.unwrap().success());
}

/// The cancel may come before, while and after the child is started: it is always ended, or has its own status.
#[test]
fn a_cancel_at_any_moment_of_the_start_ends_the_child() {
    watchdog("a cancel while a child starts", || {
        for round in 0..200 {
            let token = SimpleToken::new();
            thread::scope(|scope| {
                scope.spawn(|| {
                    for _ in 0..round * 200 {
                        std::hint::spin_loop();
                    }
                    token.cancel();
                });
                let result = Command::new("sleep")
                    .arg("1000")
                    .with_token(&token)
                    .grace(NEVER)
                    .status();
                match result {
                    Err(CommandError::Cancelled { status, .. }) => {
                        assert!(status.is_none_or(|status| status.signal() == Some(15)));
                    }
                    other => panic!("{other:?}"),
                }
            });
        }
    });
}

/// Whichever comes first: a child that was not ended has its own status.
#[test]
fn a_cancel_at_the_very_end_does_not_change_what_the_child_returned() {
    watchdog("a cancel while a child ends", || {
        for round in 0..300 {
            let token = SimpleToken::new();
            thread::scope(|scope| {
                scope.spawn(|| {
                    for _ in 0..round * 1000 {
                        std::hint::spin_loop();
                    }
                    token.cancel();
                });
                let mut command = Command::new("sh");
                command.args(["-c", "exit 3"]);
                match command.with_token(&token).grace(NEVER).status() {
                    Ok(status) => assert_eq!(status.code(), Some(3)),
                    Err(CommandError::Cancelled { status, .. }) => {
                        let is_its_own_or_ended = |status: ExitStatus| {
                            status.code() == Some(3) || status.signal() == Some(15)
                        };
                        assert!(status.is_none_or(is_its_own_or_ended), "{status:?}");
                    }
                    other => panic!("{other:?}"),
                }
            });
        }
    });
}
