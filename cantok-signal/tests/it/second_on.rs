//! Which signals end the program when they come after a first one, and how.
#![cfg(unix)]

use std::iter;

use crate::support::bell::Bell;
use crate::support::program::{Program, interrupt, raise, tell};
use cantok_signal::{SecondSignal, Signal, SignalToken, SignalTokenBuilder};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

fn all() -> SignalTokenBuilder {
    SignalToken::builder().signals([SIGINT, SIGTERM, SIGHUP])
}

fn builder(name: &str) -> SignalTokenBuilder {
    match name {
        "as it is" => all(),
        "only SIGTERM" => SignalToken::builder().signals([Signal::TERMINATION]),
        "second on both" => all().second_on([SIGTERM, SIGINT]),
        "second on SIGTERM" => all().second_on([Signal::TERMINATION]),
        "second on none" => all().second_on(iter::empty::<i32>()),
        "exit" => all().second(SecondSignal::Exit(7)),
        "exit on SIGHUP" => all().second(SecondSignal::Exit(0)).second_on([SIGHUP]),
        "ignore" => all()
            .second(SecondSignal::Ignore)
            .second_on([SIGINT, SIGTERM]),
        name => unreachable!("{name}"),
    }
}

enum End {
    Signal(i32),
    Code(i32),
    /// None, however often they come.
    No,
}

/// The token, the signals that come, and what the last of them does.
const CASES: [(&str, &[i32], End); 22] = [
    ("as it is", &[SIGINT, SIGINT], End::Signal(SIGINT)),
    ("as it is", &[SIGTERM, SIGINT], End::Signal(SIGINT)),
    (
        "as it is",
        &[SIGHUP, SIGTERM, SIGHUP, SIGINT],
        End::Signal(SIGINT),
    ),
    ("as it is", &[SIGINT, SIGTERM, SIGHUP], End::No),
    ("as it is", &[SIGTERM, SIGTERM], End::No),
    ("as it is", &[SIGHUP, SIGHUP], End::No),
    ("only SIGTERM", &[SIGTERM, SIGTERM], End::No),
    ("second on both", &[SIGTERM, SIGTERM], End::Signal(SIGTERM)),
    ("second on both", &[SIGINT, SIGTERM], End::Signal(SIGTERM)),
    ("second on both", &[SIGTERM, SIGINT], End::Signal(SIGINT)),
    ("second on both", &[SIGINT, SIGHUP, SIGHUP], End::No),
    (
        "second on SIGTERM",
        &[SIGTERM, SIGTERM],
        End::Signal(SIGTERM),
    ),
    (
        "second on SIGTERM",
        &[SIGINT, SIGINT, SIGTERM],
        End::Signal(SIGTERM),
    ),
    ("second on SIGTERM", &[SIGTERM, SIGINT, SIGINT], End::No),
    ("second on none", &[SIGINT, SIGINT, SIGTERM], End::No),
    ("exit", &[SIGINT, SIGINT], End::Code(7)),
    ("exit", &[SIGTERM, SIGHUP, SIGTERM, SIGINT], End::Code(7)),
    ("exit", &[SIGINT, SIGTERM, SIGTERM], End::No),
    ("exit on SIGHUP", &[SIGHUP, SIGHUP], End::Code(0)),
    ("exit on SIGHUP", &[SIGHUP, SIGINT, SIGINT], End::No),
    ("ignore", &[SIGINT, SIGINT, SIGINT, SIGINT, SIGINT], End::No),
    ("ignore", &[SIGTERM, SIGTERM, SIGINT, SIGTERM], End::No),
];

#[test]
fn what_comes_after_a_first_signal() {
    let program = Program::of("second_on::what_comes_after_a_first_signal", |number| {
        let (name, signals, _) = &CASES[number.parse::<usize>().unwrap()];
        let token = builder(name).build().unwrap();
        let (last, others) = signals.split_last().unwrap();
        for signal in others {
            raise(*signal);
            let error = token.wait();
            assert_eq!(Signal::of(&error).unwrap().number(), signals[0]);
        }
        // Not flushed by `_exit`.
        print!("a part");
        tell("before the last");
        raise(*last);
        tell("alive");
    });
    for (number, (name, signals, end)) in CASES.iter().enumerate() {
        let running = program.start(&number.to_string());
        running.expect("before the last");
        if let End::No = end {
            running.expect("alive");
        } else {
            assert_eq!(running.next(), None, "{name} {signals:?}");
        }
        let ended = running.end();
        match end {
            End::Signal(signal) => ended.by_signal(*signal),
            End::Code(code) => {
                ended.with_code(*code);
                assert!(!ended.output.ends_with("a part"), "left in an orderly way");
            }
            End::No => ended.with_code(0),
        }
    }
}

/// As in a shell, which has a token for each of its commands.
#[test]
fn the_count_restarts_with_each_token() {
    let program = Program::of("second_on::the_count_restarts_with_each_token", |keep| {
        let mut kept = Vec::new();
        for _ in 0..20 {
            let token = SignalToken::interrupt().unwrap();
            assert!(!token.is_cancelled());
            interrupt(&token);
            if keep == "keep" {
                kept.push(token);
            }
        }
        let _last = SignalToken::interrupt().unwrap();
        raise(SIGINT);
        tell("cancelled");
        raise(SIGINT);
        tell("alive");
    });
    for keep in ["keep", "drop"] {
        let running = program.start(keep);
        running.tells_and_ends_by(&["cancelled"], SIGINT);
    }
}

/// The token of a command that is over has been told; the next one has not.
#[test]
fn it_restarts_for_tokens_that_were_cancelled_too() {
    let program = Program::of(
        "second_on::it_restarts_for_tokens_that_were_cancelled_too",
        |_| {
            let old = SignalToken::termination().unwrap();
            raise(SIGTERM);
            old.wait();
            let new = SignalToken::interrupt().unwrap();
            interrupt(&new);
            tell("cancelled");
            raise(SIGINT);
            tell("alive");
        },
    );
    let running = program.start("");
    running.tells_and_ends_by(&["cancelled"], SIGINT);
}

/// A clone or a derived token is no new one.
#[test]
fn it_does_not_restart_with_what_derives_from_a_token() {
    let test = "second_on::it_does_not_restart_with_what_derives_from_a_token";
    let program = Program::of(test, |_| {
        let token = SignalToken::interrupt().unwrap();
        raise(SIGINT);
        token.wait();
        let _more = (token.clone(), token.child(), &token + &token);
        tell("cancelled");
        raise(SIGINT);
        tell("alive");
    });
    let running = program.start("");
    running.tells_and_ends_by(&["cancelled"], SIGINT);
}

/// The token that is left was cancelled.
#[test]
fn it_does_not_restart_when_a_token_is_dropped() {
    let test = "second_on::it_does_not_restart_when_a_token_is_dropped";
    let program = Program::of(test, |_| {
        let old = SignalToken::interrupt().unwrap();
        raise(SIGINT);
        old.wait();
        let bell = Bell::new();
        let new = builder("exit").build().unwrap();
        raise(SIGINT);
        new.wait();
        bell.ring();
        drop(new);
        tell("dropped");
        raise(SIGINT);
        tell("alive");
    });
    let running = program.start("");
    running.tells_and_ends_by(&["dropped"], SIGINT);
}
