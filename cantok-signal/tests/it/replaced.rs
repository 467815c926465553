//! The disposition of a signal is read whenever a token is built: other code may have changed it since the last one.
#![cfg(target_os = "linux")]

use std::process::Command;

use crate::support::program::{Program, Running, is_there, raise, tell};
use cantok_signal::{Signal, SignalToken, SignalTokenBuilder};
use signal_hook::consts::{SIGHUP, SIGINT, SIGUSR1, SIGUSR2};
use tempfile::TempDir;

/// Other code has SIGHUP ignored.
fn ignore_hangup() {
    raise(SIGUSR1);
}

/// Other code gives SIGHUP its default action back.
fn restore_hangup() {
    raise(SIGUSR2);
}

fn hangup() -> SignalTokenBuilder {
    SignalToken::builder().signals([Signal::HANGUP])
}

/// Starts the program with that other code in it, if there is a compiler for it.
fn start(program: Program, then: impl FnOnce(Running)) {
    let compiler = ["cc", "--version"];
    if !is_there(&compiler) {
        return;
    }
    let folder = TempDir::new().unwrap();
    let library = folder.path().join("ignore.so");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/ignore.c");
    let mut cc = Command::new("cc");
    cc.args(["-shared", "-fPIC", "-o"])
        .arg(&library)
        .arg(source);
    assert!(cc.status().unwrap().success());
    let library = library.to_str().unwrap();
    then(program.with("LD_PRELOAD", library).start(""));
}

#[test]
fn ignored_after_the_first_token() {
    let program = Program::of("replaced::ignored_after_the_first_token", |_| {
        let first = SignalToken::termination().unwrap();
        ignore_hangup();
        let second = SignalToken::termination().unwrap();
        assert!(
            second
                .signals()
                .eq([Signal::INTERRUPT, Signal::TERMINATION])
        );
        // The handler is gone, and nothing brings it back.
        let error = hangup().honor_ignored(false).build().unwrap_err();
        assert!(error.to_string().contains("SIGHUP"), "{error}");
        (0..3).for_each(|_| raise(SIGHUP));
        drop(first);
        assert!(hangup().build().unwrap().signals().next().is_none());
        raise(SIGHUP);
        tell("alive");
        raise(SIGINT);
        assert_eq!(Signal::of(&second.wait()), Some(Signal::INTERRUPT));
    });
    start(program, |running| {
        running.expect("alive");
        running.end().with_code(0);
    });
}

#[test]
fn default_after_the_first_token() {
    let program = Program::of("replaced::default_after_the_first_token", |_| {
        let _first = hangup().build().unwrap();
        restore_hangup();
        for honor in [true, false] {
            let error = hangup().honor_ignored(honor).build().unwrap_err();
            assert!(error.to_string().contains("SIGHUP"), "{error}");
        }
        // Others are not affected.
        let interrupt = SignalToken::interrupt().unwrap();
        raise(SIGINT);
        interrupt.wait();
        tell("told");
        raise(SIGHUP);
        tell("alive");
    });
    start(program, |running| {
        running.tells_and_ends_by(&["told"], SIGHUP);
    });
}

#[test]
fn ignored_before_the_first_token() {
    let program = Program::of("replaced::ignored_before_the_first_token", |_| {
        ignore_hangup();
        assert!(hangup().build().unwrap().signals().next().is_none());
        let token = hangup().honor_ignored(false).build().unwrap();
        raise(SIGHUP);
        assert_eq!(Signal::of(&token.wait()), Some(Signal::HANGUP));
    });
    start(program, |running| running.end().with_code(0));
}
