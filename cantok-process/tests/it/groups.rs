//! A group ends with its child.

use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::thread;
use std::time::Duration;

use crate::peer::shell;
use cantok_core::{SimpleToken, TimeoutToken};
use cantok_process::CommandError;
use cantok_process::prelude::*;
use cantok_testkit::watchdog;

const NEVER: Duration = Duration::MAX;

/// Each level starts the next one and waits for it.
const TREE: &str = "sh -c 'sh -c \"echo ready >&3; sleep 1000; :\"; :'; :";

#[test]
fn a_tree_of_grandchildren_is_ended() {
    watchdog("a tree of grandchildren", || {
        let token = SimpleToken::new();
        let (mut command, mut peer) = shell(TREE);
        peer.cancel_when_ready(&token, || {
            let error = command.with_token(&token).group(true).grace(NEVER).status();
            assert_eq!(error.unwrap_err().status().unwrap().signal(), Some(15));
        });
        drop(command);
        assert_eq!(peer.until_all_are_gone(), "");
    });
}

#[test]
fn without_a_group_grandchildren_live_on() {
    watchdog("grandchildren that live on", || {
        let token = SimpleToken::new();
        let (mut command, mut peer) =
            shell("(echo ready >&3; read go <&3; echo alive >&3) & wait $!");
        peer.cancel_when_ready(&token, || {
            let error = command.with_token(&token).grace(NEVER).status();
            assert!(error.unwrap_err().is_cancelled());
        });
        drop(command);
        peer.say("go");
        assert_eq!(peer.until_all_are_gone(), "alive\n");
    });
}

/// The child is gone at once, and the call still waits: what its group does after the signal has been done.
#[test]
fn the_whole_group_has_the_grace() {
    for reads_output in [false, true] {
        watchdog("a group that cleans up", move || {
            let token = SimpleToken::new();
            let (mut command, mut peer) = shell(
                "(trap 'read go <&3; echo cleaned >&3; echo bye; exit' TERM; echo ready >&3; \
                 while :; do sleep 0.01; done) & wait $!",
            );
            thread::scope(|scope| {
                scope.spawn(|| {
                    peer.expect("ready");
                    token.cancel();
                    peer.say("go");
                    peer.expect("cleaned");
                });
                let command = command.with_token(&token).group(true).grace(NEVER);
                let error = if reads_output {
                    command.output().map(drop)
                } else {
                    command.status().map(drop)
                };
                match error.unwrap_err() {
                    CommandError::Cancelled { status, output, .. } => {
                        assert_eq!(status.unwrap().signal(), Some(15));
                        assert_eq!(
                            output.stdout,
                            if reads_output { &b"bye\n"[..] } else { b"" }
                        );
                    }
                    other => panic!("{other:?}"),
                }
            });
            drop(command);
            assert_eq!(peer.until_all_are_gone(), "");
        });
    }
}

#[test]
fn what_is_left_of_the_group_after_the_grace_is_killed() {
    for reads_output in [false, true] {
        watchdog("a group that ignores the signal", move || {
            let token = SimpleToken::new();
            let (mut command, mut peer) =
                shell("(trap '' TERM; echo ready >&3; while :; do sleep 0.01; done) & wait $!");
            peer.cancel_when_ready(&token, || {
                let command = command
                    .with_token(&token)
                    .group(true)
                    .grace(Duration::from_millis(20));
                let error = if reads_output {
                    command.output().map(drop)
                } else {
                    command.status().map(drop)
                };
                let error = error.unwrap_err();
                assert_eq!(error.status().unwrap().signal(), Some(15));
            });
            drop(command);
            assert_eq!(peer.until_all_are_gone(), "");
        });
    }
}

/// Its pipes are held by the rest of its group.
#[test]
fn a_child_that_forks_and_exits_leaves_a_group_that_is_ended() {
    watchdog("a group without its leader", || {
        let token = SimpleToken::new();
        let (mut command, mut peer) =
            shell("(read go <&3; echo ready >&3; exec sleep 1000) & exit 3");
        thread::scope(|scope| {
            scope.spawn(|| {
                peer.say("go");
                peer.expect("ready");
                token.cancel();
            });
            let error = command.with_token(&token).group(true).grace(NEVER).output();
            assert!(error.unwrap_err().is_cancelled());
        });
        drop(command);
        assert_eq!(peer.until_all_are_gone(), "");
    });
}

#[test]
fn a_group_whose_child_ends_by_itself_is_left_alone() {
    watchdog("a daemon", || {
        let token = SimpleToken::new();
        let (mut command, mut peer) = shell("(read go <&3; echo alive >&3) >&- 2>&- & exit 3");
        let status = command.with_token(&token).group(true).status();
        assert_eq!(status.unwrap().code(), Some(3));
        token.cancel();
        drop(command);
        peer.say("go");
        assert_eq!(peer.until_all_are_gone(), "alive\n");
    });
}

#[test]
fn a_stopped_group_is_continued_so_that_it_can_end() {
    watchdog("a stopped group", || {
        let token = SimpleToken::new();
        let (mut command, mut peer) =
            shell("sh -c 'echo ready >&3; kill -STOP $$; :' & wait $!; :");
        peer.cancel_when_ready(&token, || {
            let error = command.with_token(&token).group(true).grace(NEVER).status();
            assert!(error.unwrap_err().is_cancelled());
        });
        drop(command);
        assert_eq!(peer.until_all_are_gone(), "");
    });
}

/// Whatever finds the deadline first: the thread that reads, or that of the deadline.
#[test]
fn a_deadline_ends_a_group_without_its_leader() {
    for round in 0..30 {
        watchdog("a deadline for a group without its leader", move || {
            let token = TimeoutToken::new(Duration::from_millis(3 + round / 3));
            let (mut command, peer) = shell("(echo out; exec sleep 1000) & exit 3");
            let error = command.with_token(&token).group(true).grace(NEVER).output();
            assert!(error.unwrap_err().is_cancelled());
            drop(command);
            assert_eq!(peer.until_all_are_gone(), "");
        });
    }
}

/// A daemon does so, by `setsid`.
#[test]
fn a_process_that_has_left_the_group_lives_on() {
    let is_there = Command::new("setsid").arg("true").status().is_ok();
    if !is_there {
        eprintln!("not tested, since there is no `setsid`");
        return;
    }
    watchdog("a process that has left the group", || {
        let token = SimpleToken::new();
        let (mut command, mut peer) =
            shell("setsid sh -c 'echo ready >&3; read go <&3; echo alive >&3' & wait $!");
        peer.cancel_when_ready(&token, || {
            let error = command.with_token(&token).group(true).grace(NEVER).status();
            assert!(error.unwrap_err().is_cancelled());
        });
        drop(command);
        peer.say("go");
        assert_eq!(peer.until_all_are_gone(), "alive\n");
    });
}

#[test]
#[cfg(target_os = "linux")]
fn a_command_keeps_its_group() {
    let mut command = Command::new("sh");
    command.args([
        "-c",
        "read pid name state parent group rest < /proc/$$/stat; test $group = $$",
    ]);
    assert!(!command.status().unwrap().success());
    let token = SimpleToken::new();
    assert!(
        command
            .with_token(&token)
            .group(true)
            .status()
            .unwrap()
            .success()
    );
    assert!(command.status().unwrap().success());
}
