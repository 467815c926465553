//! The same for the `Command` of tokio.

use std::future::Future;
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use crate::peer::Peer;
use cantok_core::{Cause, CounterToken, SimpleToken};
use cantok_process::CommandError;
use cantok_process::prelude::*;
use cantok_testkit::watchdog;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use tokio::runtime::Builder;

const NEVER: Duration = Duration::MAX;

fn shell(script: &str) -> (Command, Peer) {
    let (command, peer) = crate::peer::shell(script);
    (command.into(), peer)
}

/// Cancels the token when the child is ready.
fn cancel_when_ready(mut peer: Peer, token: &SimpleToken) -> thread::JoinHandle<Peer> {
    let token = token.clone();
    thread::spawn(move || {
        peer.expect("ready");
        token.cancel();
        peer
    })
}

fn run<T: Send + 'static>(what: &str, f: impl Future<Output = T> + Send + 'static) -> T {
    watchdog(what, move || {
        let runtime = Builder::new_current_thread().enable_io().build().unwrap();
        runtime.block_on(f)
    })
}

#[test]
fn the_output_is_what_the_child_wrote() {
    run("the output of a child", async {
        let token = SimpleToken::new();
        let script = "head -c 1000000 /dev/zero; head -c 1000000 /dev/zero >&2; exit 3";
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        let output = command.output_with_token(&token).await.unwrap();
        assert_eq!(output, command.output().await.unwrap());
        assert_eq!(output.status.code(), Some(3));
        let status = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status_with_token(&token);
        assert_eq!(status.await.unwrap().code(), Some(3));
    });
}

#[test]
fn a_cancel_sends_the_signal_first_and_kills_after_the_grace() {
    run("a cancel", async {
        for (trap, grace, signal) in [
            ("", NEVER, 15),
            ("trap '' TERM;", Duration::from_millis(20), 9),
        ] {
            let token = SimpleToken::new();
            let (mut command, peer) = shell(&format!(
                "{trap} echo ready >&3; while :; do sleep 0.01; done"
            ));
            let canceller = cancel_when_ready(peer, &token);
            let error = command
                .with_token(&token)
                .grace(grace)
                .status()
                .await
                .unwrap_err();
            assert_eq!(error.status().unwrap().signal(), Some(signal));
            assert!(error.cancellation().unwrap().is_from(&token));
            canceller.join().unwrap();
        }
    });
}

#[test]
fn an_error_has_what_was_written_until_then() {
    run("the output of a cancelled child", async {
        let token = SimpleToken::new();
        let script = "trap 'echo bye; exit 7' TERM; echo out; echo err >&2; echo ready >&3; \
                      while :; do sleep 0.01; done";
        let (mut command, peer) = shell(script);
        let canceller = cancel_when_ready(peer, &token);
        match command.with_token(&token).grace(NEVER).output().await {
            Err(CommandError::Cancelled { status, output, .. }) => {
                assert_eq!(status.unwrap().code(), Some(7));
                assert_eq!(output.stdout, b"out\nbye\n");
                assert_eq!(output.stderr, b"err\n");
            }
            other => panic!("{other:?}"),
        }
        canceller.join().unwrap();
    });
}

#[test]
fn a_cancel_does_not_wait_for_others_that_hold_the_pipes() {
    run("a grandchild that holds the pipes", async {
        let token = SimpleToken::new();
        let (mut command, peer) = shell("(echo grandchild; echo ready >&3; read go <&3) & wait $!");
        let canceller = cancel_when_ready(peer, &token);
        match command.with_token(&token).grace(NEVER).output().await {
            Err(CommandError::Cancelled { status, output, .. }) => {
                assert_eq!(status.unwrap().signal(), Some(15));
                assert_eq!(output.stdout, b"grandchild\n");
            }
            other => panic!("{other:?}"),
        }
        canceller.join().unwrap().say("go");
    });
}

#[test]
fn a_group_is_ended_with_its_child() {
    for (trap, grace) in [
        ("trap 'echo cleaned >&3; exit' TERM;", NEVER),
        ("trap '' TERM;", Duration::from_millis(20)),
    ] {
        for reads_output in [false, true] {
            run("a group", async move {
                let token = SimpleToken::new();
                let (mut command, peer) = shell(&format!(
                    "({trap} echo ready >&3; while :; do sleep 0.01; done) & wait $!"
                ));
                let canceller = cancel_when_ready(peer, &token);
                let with_token = command.with_token(&token).group(true).grace(grace);
                let error = if reads_output {
                    with_token.output().await.map(drop)
                } else {
                    with_token.status().await.map(drop)
                };
                assert_eq!(error.unwrap_err().status().unwrap().signal(), Some(15));
                drop(command);
                let rest = canceller.join().unwrap().until_all_are_gone();
                assert_eq!(rest, if grace == NEVER { "cleaned\n" } else { "" });
            });
        }
    }
}

#[test]
fn limits_end_the_child() {
    run("limits", async {
        let token = SimpleToken::new();
        let mut command = Command::new("cat");
        command.arg("/dev/zero");
        match command
            .with_token(&token)
            .output_limit(100_000)
            .output()
            .await
        {
            Err(CommandError::OutputLimit { status, output, .. }) => {
                assert_eq!(status.signal(), Some(15));
                assert_eq!(output.stdout.len(), 100_000);
            }
            other => panic!("{other:?}"),
        }
        let idle = Duration::from_millis(50);
        let mut command = Command::new("sleep");
        let error = command
            .arg("1000")
            .with_token(&token)
            .idle(idle)
            .output()
            .await;
        let error = error.unwrap_err();
        assert_eq!(
            error.cancellation().unwrap().cause(),
            &Cause::Idle { after: idle }
        );
        assert!(
            command
                .with_token(&token)
                .idle(idle)
                .status()
                .await
                .is_err()
        );
        assert!(token.keep_on());
    });
}

#[test]
fn a_cancel_ends_a_spawned_child_that_no_task_waits_for() {
    run("a spawned child", async {
        let token = SimpleToken::new();
        let mut command = Command::new("sh");
        command
            .args(["-c", "echo begun; exec sleep 1000"])
            .stdout(Stdio::piped());
        let mut child = command.with_token(&token).grace(NEVER).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // Ends when nothing holds the pipe any more.
        while lines.next_line().await.unwrap().is_some() {
            token.cancel();
        }
        let error = child.wait().await.unwrap_err();
        assert_eq!(error.status().unwrap().signal(), Some(15));
        assert_eq!(child.wait().await.unwrap_err().status(), error.status());
    });
}

#[test]
fn dropping_the_future_kills_the_child_and_its_group() {
    run("a future that is dropped", async {
        for reads_output in [false, true] {
            let token = SimpleToken::new();
            let (mut command, mut peer) =
                shell("trap '' TERM; (echo ready >&3; exec sleep 1000) & wait $!");
            {
                let with_token = command.with_token(&token).group(true).grace(NEVER);
                let call = async {
                    if reads_output {
                        with_token.output().await.map(drop)
                    } else {
                        with_token.status().await.map(drop)
                    }
                };
                let ready = tokio::task::spawn_blocking(move || {
                    peer.expect("ready");
                    peer
                });
                tokio::select! {
                    result = call => panic!("{result:?}"),
                    told = ready => peer = told.unwrap(),
                }
            }
            drop(command);
            let rest = tokio::task::spawn_blocking(move || peer.until_all_are_gone());
            assert_eq!(rest.await.unwrap(), "");
            assert!(token.keep_on());
        }
    });
}

#[test]
fn one_call_is_one_check() {
    run("checks", async {
        let token = CounterToken::new(3);
        let mut command = Command::new("true");
        assert!(command.status_with_token(&token).await.unwrap().success());
        assert!(
            command
                .output_with_token(&token)
                .await
                .unwrap()
                .status
                .success()
        );
        let mut child = command.spawn_with_token(&token).unwrap();
        assert!(child.wait().await.unwrap().success());
        assert_eq!(token.remaining(), 0);
        let error = command.status_with_token(&token).await.unwrap_err();
        assert!(error.is_cancelled());
        assert_eq!(error.status(), None);
    });
}

#[test]
fn the_signal_is_sent_while_the_runtime_is_blocked() {
    run("a blocked runtime", async {
        let token = SimpleToken::new();
        let (mut command, mut peer) = shell("echo ready >&3; exec sleep 1000");
        let mut child = command.with_token(&token).grace(NEVER).spawn().unwrap();
        drop(command);
        let canceller = thread::spawn({
            let token = token.clone();
            move || {
                peer.expect("ready");
                token.cancel();
                peer.until_all_are_gone()
            }
        });
        assert_eq!(canceller.join().unwrap(), "");
        assert!(child.wait().await.unwrap_err().is_cancelled());
    });
}
