//! A child that was spawned ends with its token, its handle, or by itself.

use std::os::unix::process::ExitStatusExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Stdio;
use std::time::Duration;

use crate::peer::shell;
use cantok_core::SimpleToken;
use cantok_process::prelude::*;
use cantok_testkit::watchdog;
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

const NEVER: Duration = Duration::MAX;

#[test]
fn a_cancel_ends_it_whatever_its_thread_does() {
    watchdog("a thread that does something else", || {
        let token = SimpleToken::new();
        let (mut command, mut peer) = shell("echo ready >&3; exec sleep 1000");
        let mut child = command.with_token(&token).grace(NEVER).spawn().unwrap();
        drop(command);
        peer.expect("ready");
        token.cancel();
        assert_eq!(peer.until_all_are_gone(), "");
        let error = child.wait().unwrap_err();
        assert_eq!(error.status().unwrap().signal(), Some(15));
        // Again and again.
        assert_eq!(child.wait().unwrap_err().status(), error.status());
        assert_eq!(child.try_wait().unwrap_err().status(), error.status());
    });
}

#[test]
fn the_grace_ends_without_a_thread_that_waits() {
    watchdog("a thread that does something else", || {
        let token = SimpleToken::new();
        let (mut command, mut peer) =
            shell("trap '' TERM; echo ready >&3; while :; do sleep 0.01; done");
        let grace = Duration::from_millis(20);
        let mut child = command.with_token(&token).grace(grace).spawn().unwrap();
        drop(command);
        peer.expect("ready");
        token.cancel();
        assert_eq!(peer.until_all_are_gone(), "");
        assert_eq!(
            child.wait().unwrap_err().status().unwrap().signal(),
            Some(9)
        );
    });
}

#[test]
fn its_own_token_ends_it_alone() {
    watchdog("two children", || {
        let token = SimpleToken::new();
        let (mut command, mut peer) = shell("echo ready >&3; read go <&3; exit 3");
        let mut one = command.spawn_with_token(&token).unwrap();
        peer.expect("ready");
        let (mut command, mut other_peer) = shell("echo ready >&3; exec sleep 1000");
        let mut other = command.spawn_with_token(&token).unwrap();
        other_peer.expect("ready");
        other.token().cancel_with("not needed any more");
        let error = other.wait().unwrap_err();
        assert_eq!(error.to_string(), "cancelled: not needed any more");
        assert!(token.keep_on());
        assert!(one.try_wait().unwrap().is_none());
        peer.say("go");
        assert_eq!(one.wait().unwrap().code(), Some(3));
        assert_eq!(one.try_wait().unwrap().unwrap().code(), Some(3));
    });
}

#[test]
fn a_drop_ends_it_and_waits() {
    watchdog("a drop", || {
        let token = SimpleToken::new();
        let (mut command, mut peer) = shell(
            "trap 'echo cleaned >&3; exit' TERM; echo ready >&3; while :; do sleep 0.01; done",
        );
        let child = command.with_token(&token).grace(NEVER).spawn().unwrap();
        let pid = Pid::from_raw(child.id().try_into().unwrap()).unwrap();
        drop(command);
        peer.expect("ready");
        drop(child);
        // Reaped: the system knows no such child.
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
        assert!(waitid(WaitId::Pid(pid), options).is_err());
        assert_eq!(peer.until_all_are_gone(), "cleaned\n");
        assert!(token.keep_on());
    });
}

#[test]
fn a_panic_ends_it() {
    watchdog("a panic", || {
        let token = SimpleToken::new();
        let (mut command, mut peer) = shell("echo ready >&3; exec sleep 1000");
        let panic = catch_unwind(AssertUnwindSafe(|| {
            let _child = command.spawn_with_token(&token).unwrap();
            peer.expect("ready");
            panic!("with a child");
        }));
        assert!(panic.is_err());
        drop(command);
        assert_eq!(peer.until_all_are_gone(), "");
    });
}

#[test]
fn a_child_taken_out_lives_on() {
    watchdog("a child taken out", || {
        let token = SimpleToken::new();
        let (mut command, mut peer) = shell("echo ready >&3; read go <&3; exit 3");
        let mut child = command.spawn_with_token(&token).unwrap().into_inner();
        peer.expect("ready");
        token.cancel();
        peer.say("go");
        assert_eq!(child.wait().unwrap().code(), Some(3));
    });
}

/// A child that reads its standard input to the end would wait for ever.
#[test]
fn waiting_closes_standard_input() {
    watchdog("standard input", || {
        let token = SimpleToken::new();
        let mut command = std::process::Command::new("cat");
        command.stdin(Stdio::piped());
        let mut child = command.spawn_with_token(&token).unwrap();
        assert!(child.wait().unwrap().success());
    });
}

#[test]
fn a_callback_of_the_cancel_finds_the_child_asked_already() {
    watchdog("a callback", || {
        let token = SimpleToken::new();
        let (mut command, mut peer) = shell("echo ready >&3; exec sleep 1000");
        let _slow = token.on_cancel({
            let mut command = Some(command.spawn_with_token(&token).unwrap());
            move |_| {
                // Would wait for ever if callbacks came first.
                let error = command.take().unwrap().wait().unwrap_err();
                assert!(error.is_cancelled());
            }
        });
        drop(command);
        peer.cancel_when_ready(&token, || {});
        assert_eq!(peer.until_all_are_gone(), "");
    });
}
