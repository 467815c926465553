//! What holds on Windows: a cancel ends the child at once.
#![cfg(windows)]

use std::io::{self, BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::Duration;
use std::{env, process, thread};

use cantok_core::{Cause, SimpleToken, TimeoutToken};
use cantok_process::prelude::*;
use cantok_process::{CommandError, ParentToken};
use cantok_testkit::watchdog;

/// Set in the children.
const CHILD: &str = "CANTOK_TEST_CHILD";

/// This test's executable as a child that begins and never ends.
fn endless(test: &str) -> Command {
    if env::var_os(CHILD).is_some() {
        io::stdout().write_all(b"\nbegun\n").unwrap();
        io::stdout().flush().unwrap();
        loop {
            thread::park();
        }
    }
    let mut command = Command::new(env::current_exe().unwrap());
    command
        .args([test, "--exact", "--nocapture", "--test-threads=1"])
        .env(CHILD, "1");
    command
}

fn exit_with_3() -> Command {
    let mut command = Command::new("cmd");
    command.args(["/C", "echo out& echo err>&2& exit 3"]);
    command
}

#[test]
fn a_child_that_ends_by_itself_has_its_status_and_its_output() {
    let token = SimpleToken::new();
    let output = exit_with_3().output_with_token(&token).unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(output.stdout, b"out\r\n");
    assert_eq!(output.stderr, b"err\r\n");
    let mut command = exit_with_3();
    command.stdout(Stdio::null()).stderr(Stdio::null());
    assert_eq!(command.status_with_token(&token).unwrap().code(), Some(3));
    let mut child = command.spawn_with_token(&token).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(3));
    assert_eq!(child.try_wait().unwrap().unwrap().code(), Some(3));
}

#[test]
fn a_cancel_ends_a_child_and_leaves_its_output() {
    let mut command = endless("a_cancel_ends_a_child_and_leaves_its_output");
    watchdog("a cancelled child", move || {
        let token = SimpleToken::new();
        command.stdout(Stdio::piped());
        let mut child = command.spawn_with_token(&token).unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        while lines.next().unwrap().unwrap() != "begun" {}
        token.cancel();
        assert!(child.wait().unwrap_err().status().is_some());

        let idle = Duration::from_secs(2);
        match command.with_token(SimpleToken::new()).idle(idle).output() {
            Err(CommandError::Cancelled { error, output, .. }) => {
                assert_eq!(error.cause(), &Cause::Idle { after: idle });
                let written = String::from_utf8(output.stdout).unwrap();
                assert!(written.contains("begun"), "{written}");
            }
            other => panic!("{other:?}"),
        }
        let token = TimeoutToken::new(Duration::from_millis(50));
        assert!(
            command
                .status_with_token(&token)
                .unwrap_err()
                .is_cancelled()
        );
    });
}

#[test]
fn a_drop_ends_a_child() {
    let mut command = endless("a_drop_ends_a_child");
    watchdog("a child that is dropped", move || {
        command.stdout(Stdio::piped());
        let mut child = command.spawn_with_token(&SimpleToken::new()).unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        drop(child);
        lines.for_each(drop); // ends with the child
    });
}

#[test]
fn a_child_taken_out_lives_on() {
    let mut command = endless("a_child_taken_out_lives_on");
    watchdog("a child taken out", move || {
        let token = SimpleToken::new();
        let child = command
            .stdout(Stdio::null())
            .spawn_with_token(&token)
            .unwrap();
        let mut child: process::Child = child.into_inner();
        token.cancel();
        assert!(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
    });
}

#[test]
fn a_cancelled_token_starts_nothing() {
    let token = SimpleToken::new();
    token.cancel();
    let error = exit_with_3().status_with_token(&token).unwrap_err();
    assert_eq!(error.status(), None);
    let error = ParentToken::new().unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::Unsupported);
}

#[cfg(feature = "tokio")]
#[test]
fn the_same_with_tokio() {
    let endless = endless("the_same_with_tokio");
    watchdog("children of tokio", move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let token = SimpleToken::new();
            let mut command = tokio::process::Command::from(exit_with_3());
            let output = command.output_with_token(&token).await.unwrap();
            assert_eq!(
                (output.status.code(), &output.stdout[..]),
                (Some(3), &b"out\r\n"[..])
            );
            let mut command = tokio::process::Command::from(endless);
            command.stdout(Stdio::null());
            let token = TimeoutToken::new(Duration::from_millis(50));
            assert!(
                command
                    .status_with_token(&token)
                    .await
                    .unwrap_err()
                    .is_cancelled()
            );
            let token = TimeoutToken::new(Duration::from_millis(50));
            assert!(
                command
                    .output_with_token(&token)
                    .await
                    .unwrap_err()
                    .is_cancelled()
            );
        });
    });
}
