//! A program that has stopped in good order may say so by its exit code.
#![cfg(unix)]

use std::io;

use crate::support::program::{Program, raise};
use cantok_signal::{Signal, SignalToken, SignalTokenBuilder};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

fn builder() -> SignalTokenBuilder {
    SignalToken::builder()
        .signals([SIGINT, SIGTERM, SIGHUP])
        .exit_on(Signal::TERMINATION, 1)
        .exit_on(SIGHUP, 7)
        .exit_on(Signal::TERMINATION, 0)
}

#[test]
fn run_exits_with_that_code_and_by_other_signals() {
    let test = "exit_on::run_exits_with_that_code_and_by_other_signals";
    let program = Program::of(test, |signal| {
        let token = builder().build().unwrap().named("stop");
        let result = token.run(|token| -> io::Result<()> {
            raise(signal.parse().unwrap());
            let error = token.wait();
            print!("drained");
            Err(error.into())
        });
        unreachable!("{result:?}");
    });
    let ended = |signal: i32| program.start(&signal.to_string()).end();
    let drained = ended(SIGTERM);
    assert!(drained.output.ends_with("drained"), "{}", drained.output);
    drained.with_code(0);
    ended(SIGHUP).with_code(7);
    ended(SIGINT).by_signal(SIGINT);
}

#[test]
fn other_results_are_returned() {
    let program = Program::of("exit_on::other_results_are_returned", |_| {
        let token = builder().build().unwrap();
        let clone = token.clone();
        assert_eq!(token.run(|_| io::Result::Ok(5)).unwrap(), 5);
        let error = clone.run(|token| -> io::Result<()> {
            raise(SIGTERM);
            token.wait();
            Err(io::Error::other("another"))
        });
        assert_eq!(error.unwrap_err().to_string(), "another");
        panic!("not by the signal");
    });
    program.start("").end().with_code(101);
}

#[test]
fn a_second_signal_ends_as_ever() {
    let program = Program::of("exit_on::a_second_signal_ends_as_ever", |_| {
        let token = builder().exit_on(SIGINT, 0).build().unwrap();
        raise(SIGINT);
        token.wait();
        raise(SIGINT);
    });
    program.start("").end().by_signal(SIGINT);
}
