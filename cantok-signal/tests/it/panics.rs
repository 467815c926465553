//! A callback that panics takes nothing away from the next signal.
#![cfg(unix)]

use std::panic::{catch_unwind, panic_any};
use std::sync::mpsc;

use crate::support::program::{Program, raise, tell};
use cantok_signal::{Signal, SignalToken};
use signal_hook::consts::SIGINT;

/// Panics when it is dropped, with another of its kind.
struct Payload;

impl Drop for Payload {
    fn drop(&mut self) {
        panic_any(Payload);
    }
}

#[test]
fn the_next_signal_cancels_the_next_token() {
    let program = Program::of(
        "panics::the_next_signal_cancels_the_next_token",
        |payload| {
            for round in 0..5 {
                let tokens = [(); 3].map(|()| SignalToken::interrupt().unwrap());
                let (told, heard) = mpsc::channel();
                let _registrations = tokens.each_ref().map(|token| {
                    let told = told.clone();
                    let panics = match payload {
                        "text" => token.on_cancel(|_| panic!("a callback")),
                        _ => token.on_cancel(|_| panic_any(Payload)),
                    };
                    let tells = token.on_cancel(move |error| told.send(Signal::of(error)).unwrap());
                    (panics, tells)
                });
                drop(told);
                raise(SIGINT);
                for token in &tokens {
                    token.wait();
                }
                // Nor from the callbacks of others.
                assert!(
                    heard.iter().eq([Some(Signal::INTERRUPT); 3]),
                    "round {round}"
                );
            }
            let _last = SignalToken::interrupt().unwrap();
            raise(SIGINT);
            tell("cancelled");
            raise(SIGINT);
            tell("alive");
        },
    );
    for payload in ["text", "panics in its drop"] {
        let running = program.start(payload);
        running.tells_and_ends_by(&["cancelled"], SIGINT);
    }
}

/// `work` panics: that is what ends the program, and clean-ups are done.
#[test]
fn a_panic_passes_through_run() {
    let program = Program::of("panics::a_panic_passes_through_run", |_| {
        let ran = catch_unwind(|| {
            let token = SignalToken::interrupt().unwrap();
            let _ = token.run(|token| -> std::io::Result<()> {
                raise(SIGINT);
                panic!("{}", token.wait());
            });
        });
        assert!(ran.is_err());
        tell("caught");
        raise(SIGINT);
        tell("alive");
    });
    let running = program.start("");
    running.expect("caught");
    // The token is gone.
    running.tells_and_ends_by(&[], SIGINT);
}
