//! What came before a token was built does not cancel it, and does not count.
#![cfg(unix)]

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::support::bell::Bell;
use crate::support::program::{Program, interrupt, raise, tell};
use cantok_signal::{SecondSignal, SignalToken};
use signal_hook::consts::SIGINT;

/// The thread that cancels is a little late in most of them.
const ROUNDS: usize = 2_000;

#[track_caller]
fn ends_well(program: &Program) {
    let running = program.start("");
    running.expect("done");
    running.end().with_code(0);
}

/// Another handler has kept the program alive.
#[test]
fn while_there_was_no_token() {
    let program = Program::of("earlier_signals::while_there_was_no_token", |_| {
        signal_hook::flag::register(SIGINT, Arc::new(AtomicBool::new(false))).unwrap();
        for round in 0..ROUNDS {
            let bell = Bell::new();
            raise(SIGINT);
            let token = SignalToken::interrupt().unwrap();
            bell.ring();
            assert!(!token.is_cancelled(), "round {round}");
            // The first.
            let bell = Bell::new();
            interrupt(&token);
            bell.ring();
        }
        tell("done");
    });
    ends_well(&program);
}

/// As a command that is over when Ctrl-C is pressed.
#[test]
fn while_another_token_was_there() {
    let program = Program::of("earlier_signals::while_another_token_was_there", |_| {
        for round in 0..ROUNDS {
            let bell = Bell::new();
            let old = SignalToken::interrupt().unwrap();
            raise(SIGINT);
            drop(old);
            let token = SignalToken::interrupt().unwrap();
            bell.ring();
            assert!(!token.is_cancelled(), "round {round}");
        }
        tell("done");
    });
    ends_well(&program);
}

#[test]
fn while_another_token_is_there() {
    let program = Program::of("earlier_signals::while_another_token_is_there", |_| {
        let interrupt = SignalToken::builder().second(SecondSignal::Exit(7));
        for round in 0..ROUNDS {
            let bell = Bell::new();
            let old = interrupt.clone().build().unwrap();
            raise(SIGINT);
            let token = interrupt.clone().build().unwrap();
            bell.ring();
            assert!(old.is_cancelled(), "round {round}");
            assert!(!token.is_cancelled(), "round {round}");
            // A first one again, for both.
            let bell = Bell::new();
            raise(SIGINT);
            token.wait();
            bell.ring();
        }
        tell("done");
    });
    ends_well(&program);
}
