//! What no token can be made of is refused, and changes nothing.
#![cfg(unix)]

use std::io::ErrorKind;
use std::iter;

use crate::support::program::{Program, interrupt, raise, tell};
use cantok_signal::{Signal, SignalToken, SignalTokenBuilder};
use signal_hook::consts::{
    SIGBUS, SIGFPE, SIGHUP, SIGILL, SIGINT, SIGKILL, SIGQUIT, SIGSEGV, SIGSTOP, SIGTERM,
};

#[track_caller]
fn is_refused(builder: SignalTokenBuilder, naming: &str) {
    let error = builder.build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    let words = error.to_string();
    let mut words = words.split(|c: char| !c.is_alphanumeric() && c != '-');
    assert!(words.any(|word| word == naming), "{error}");
}

fn of(signals: &[i32]) -> SignalTokenBuilder {
    SignalToken::builder().signals(signals)
}

#[test]
fn signals_that_cannot_be_handled() {
    for (signal, name) in [
        (SIGKILL, "SIGKILL"),
        (SIGSTOP, "SIGSTOP"),
        (SIGSEGV, "SIGSEGV"),
        (SIGILL, "SIGILL"),
        (SIGFPE, "SIGFPE"),
        (SIGBUS, "SIGBUS"),
    ] {
        is_refused(of(&[signal]), name);
        is_refused(of(&[SIGINT, signal]), name);
        is_refused(of(&[signal, SIGINT]), name);
        is_refused(of(&[SIGINT]).second_on([signal]), name);
    }
}

#[test]
fn numbers_that_are_no_signals() {
    for number in [0, -1, 1000, 65, 130, i32::MAX, i32::MIN] {
        is_refused(of(&[number]), &number.to_string());
        is_refused(of(&[SIGINT, number]), &number.to_string());
        is_refused(of(&[SIGINT]).second_on([number]), &number.to_string());
    }
}

#[test]
fn second_signals_that_do_not_cancel() {
    is_refused(of(&[SIGINT]).second_on([Signal::QUIT]), "SIGQUIT");
    is_refused(of(&[SIGINT]).second_on([SIGINT, SIGTERM]), "SIGTERM");
    is_refused(of(&[SIGTERM, SIGHUP]).second_on([SIGINT]), "SIGINT");
}

#[test]
fn exits_on_signals_that_do_not_cancel() {
    is_refused(of(&[SIGINT]).exit_on(SIGTERM, 0), "SIGTERM");
    is_refused(of(&[SIGINT]).exit_on(SIGKILL, 0), "SIGKILL");
    is_refused(of(&[SIGINT]).exit_on(1000, 0), "1000");
}

#[test]
fn no_signal_at_all() {
    let error = of(&[]).build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    let none = SignalToken::builder().signals(iter::empty::<Signal>());
    let error = none.second_on([SIGINT]).build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
}

#[test]
fn a_refusal_changes_nothing() {
    let program = Program::of("bad_input::a_refusal_changes_nothing", |signal| {
        let signal = signal.parse().unwrap();
        let refused = || {
            of(&[SIGINT, SIGTERM, SIGQUIT, SIGKILL])
                .build()
                .unwrap_err()
        };
        refused();
        // Nor for the tokens of others.
        let token = SignalToken::interrupt().unwrap();
        refused();
        interrupt(&token);
        tell("cancelled");
        if signal == SIGINT {
            // That was the first, and this is the second.
            refused();
        }
        raise(signal);
        tell("alive");
    });
    for signal in [SIGINT, SIGTERM, SIGQUIT] {
        let running = program.start(&signal.to_string());
        running.tells_and_ends_by(&["cancelled"], signal);
    }
}

#[test]
fn a_signal_named_twice_is_one() {
    let program = Program::of("bad_input::a_signal_named_twice_is_one", |_| {
        let builder = of(&[SIGINT, SIGINT, SIGINT]).second_on([SIGINT, SIGINT]);
        let token = builder.build().unwrap();
        assert!(token.signals().eq([Signal::INTERRUPT]));
        raise(SIGINT);
        token.wait();
        tell("cancelled");
        raise(SIGINT);
        tell("alive");
    });
    let running = program.start("");
    running.tells_and_ends_by(&["cancelled"], SIGINT);
}
