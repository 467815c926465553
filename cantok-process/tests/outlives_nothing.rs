//! A program ends with its parent, or with its standard input.
#![cfg(unix)]

#[path = "support/peer.rs"]
mod peer;
#[path = "support/program.rs"]
mod program;

use cantok_core::{SimpleToken, Token};
use cantok_process::{ParentToken, StdinToken};
use cantok_testkit::watchdog;
use peer::{Peer, shell};
use program::{program, tell};

/// The parent is a shell that lives until the test says so, and the program its child.
fn with_parent(program: &str) -> Peer {
    let (mut command, peer) = shell(&format!("{program} <&3 >&3 & read word <&3; exit"));
    let parent = command.spawn().unwrap();
    drop(command);
    // Reaped at once, so that it is no zombie.
    std::thread::spawn(move || parent.wait_with_output());
    peer
}

#[test]
fn a_parent_token_is_cancelled_when_the_parent_ends() {
    let program = program("a_parent_token_is_cancelled_when_the_parent_ends", || {
        let token = SimpleToken::new() + ParentToken::new().unwrap();
        assert!(token.keep_on());
        tell("ready");
        tell(token.wait());
    });
    watchdog("a parent that ends", move || {
        let mut peer = with_parent(&program);
        peer.expect_mark("ready");
        peer.say("end");
        peer.expect_mark("cancelled: the parent process has ended");
    });
}

#[test]
fn a_parent_token_is_cancelled_when_the_parent_is_killed() {
    let program = program(
        "a_parent_token_is_cancelled_when_the_parent_is_killed",
        || {
            let token = ParentToken::new().unwrap();
            tell("ready");
            tell(token.wait());
        },
    );
    watchdog("a parent that is killed", move || {
        let (mut command, mut peer) = shell(&format!("{program} <&3 >&3 & read word <&3; exit"));
        let mut parent = command.spawn().unwrap();
        drop(command);
        peer.expect_mark("ready");
        parent.kill().unwrap(); // a zombie until the test waits for it
        peer.expect_mark("cancelled: the parent process has ended");
        parent.wait().unwrap();
    });
}

/// Linux's `PR_SET_PDEATHSIG` takes the thread for the parent.
#[test]
fn a_parent_whose_thread_ends_is_still_there() {
    let program = program("a_parent_whose_thread_ends_is_still_there", || {
        let token = ParentToken::new().unwrap();
        tell("ready");
        std::io::stdin().read_line(&mut String::new()).unwrap();
        tell(&token);
    });
    watchdog("a thread that ends", move || {
        let (mut command, mut peer) = shell(&format!("exec env {program} <&3 >&3"));
        let mut child = std::thread::spawn(move || command.spawn().unwrap())
            .join()
            .unwrap();
        peer.expect_mark("ready");
        peer.say("go");
        peer.expect_mark("ParentToken (not cancelled)");
        child.wait().unwrap();
    });
}

#[test]
fn a_stdin_token_is_cancelled_when_standard_input_ends() {
    let program = program(
        "a_stdin_token_is_cancelled_when_standard_input_ends",
        || {
            let token = StdinToken::new().unwrap();
            tell("ready");
            tell(token.wait());
        },
    );
    watchdog("standard input that ends", move || {
        // The program's standard input is a pipe, whose other end the shell holds until the test says so.
        let (mut command, mut peer) =
            shell(&format!("(echo unread; read word <&3) | {program} >&3"));
        let mut child = command.spawn().unwrap();
        drop(command);
        peer.expect_mark("ready");
        peer.say("end");
        peer.expect_mark("cancelled: standard input has ended");
        child.wait().unwrap();
    });
}

#[test]
fn a_stdin_token_without_input_is_cancelled_at_once() {
    let program = program("a_stdin_token_without_input_is_cancelled_at_once", || {
        tell(StdinToken::new().unwrap().wait());
    });
    watchdog("no standard input", move || {
        let (mut command, mut peer) = shell(&format!("{program} </dev/null >&3"));
        let mut child = command.spawn().unwrap();
        drop(command);
        peer.expect_mark("cancelled: standard input has ended");
        child.wait().unwrap();
    });
}

/// Where it is read, a pipe tells whether something reads it.
#[test]
#[cfg(target_os = "linux")]
fn threads_and_descriptors_end_with_the_last_handle() {
    let test = "threads_and_descriptors_end_with_the_last_handle";
    let program = program(test, || {
        let held = || {
            let count = |folder| std::fs::read_dir(folder).unwrap().count();
            (count("/proc/self/fd"), count("/proc/self/task"))
        };
        let before = held();
        let sum: Token = ParentToken::new().unwrap() + StdinToken::new().unwrap();
        let (child, clone) = (sum.child(), sum.clone());
        assert_ne!(held(), before);
        drop((sum, child, clone));
        while held() != before {
            std::thread::yield_now();
        }
        tell("nothing is left");
    });
    watchdog("threads that end", move || {
        let (mut command, mut peer) = shell(&format!("{program} <&3 >&3"));
        let mut child = command.spawn().unwrap();
        drop(command);
        peer.expect_mark("nothing is left");
        child.wait().unwrap();
    });
}

#[test]
fn they_are_tokens_like_others() {
    let parent = ParentToken::new().unwrap();
    assert_eq!(parent.to_string(), "ParentToken (not cancelled)");
    assert_eq!(format!("{parent:?}"), "ParentToken");
    let named = parent.clone().named("host");
    assert_eq!(named, parent);
    assert_eq!(named.name(), Some("host"));
    let token = Token::from(&parent);
    assert_eq!(token, parent);
    assert!(parent.cancel());
    assert!((&parent + SimpleToken::new()).is_cancelled());
    assert!(parent.cancellation().unwrap().is_from(&token));
}
