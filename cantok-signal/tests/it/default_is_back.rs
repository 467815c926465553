//! With the last token that listens to a signal, and all that derives from it, goes its handler.
#![cfg(unix)]

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};

use crate::support::bell::Bell;
use crate::support::program::{Program, interrupt, raise, tell};
use cantok_core::Token;
use cantok_signal::{SecondSignal, Signal, SignalToken, SignalTokenBuilder};
use cantok_testkit::shapes::shapes;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// No repetition ends the program: what does is the default.
fn deaf() -> SignalTokenBuilder {
    SignalToken::builder()
        .signals([SIGINT, SIGTERM, SIGHUP])
        .second(SecondSignal::Ignore)
}

#[test]
fn a_registration_alone_keeps_the_token() {
    let program = Program::of(
        "default_is_back::a_registration_alone_keeps_the_token",
        |_| {
            let (told, heard) = mpsc::channel();
            let token = SignalToken::interrupt().unwrap();
            let _registration = token.on_cancel(move |_| told.send(()).unwrap());
            drop(token);
            raise(SIGINT);
            heard.recv().unwrap();
            tell("called");
            raise(SIGINT);
            tell("alive");
        },
    );
    program.start("").tells_and_ends_by(&["called"], SIGINT);
}

#[test]
fn dropped_before_any_signal() {
    let program = Program::of("default_is_back::dropped_before_any_signal", |signal| {
        let token = deaf().build().unwrap();
        let clone = token.clone();
        drop(token);
        drop(clone);
        tell("dropped");
        raise(signal.parse().unwrap());
        tell("alive");
    });
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        program
            .start(&signal.to_string())
            .tells_and_ends_by(&["dropped"], signal);
    }
}

#[test]
fn dropped_after_a_signal() {
    let program = Program::of("default_is_back::dropped_after_a_signal", |signal| {
        let signal = signal.parse().unwrap();
        let bell = Bell::new();
        let token = deaf().build().unwrap();
        for _ in 0..3 {
            raise(signal);
            token.wait();
        }
        bell.ring();
        drop(token);
        tell("dropped");
        raise(signal);
        tell("alive");
    });
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        program
            .start(&signal.to_string())
            .tells_and_ends_by(&["dropped"], signal);
    }
}

#[test]
fn whatever_derives_from_it_keeps_it_alive() {
    let program = Program::of(
        "default_is_back::whatever_derives_from_it_keeps_it_alive",
        |index| {
            let bell = Bell::new();
            let token = deaf().build().unwrap();
            let (shape, derived) = shapes(&token).swap_remove(index.parse().unwrap());
            drop(token);
            raise(SIGTERM);
            let error = derived.wait();
            assert_eq!(Signal::of(&error), Some(Signal::TERMINATION), "{shape}");
            raise(SIGINT);
            tell("cancelled");
            bell.ring();
            drop(derived);
            raise(SIGINT);
            tell("alive");
        },
    );
    for index in 0..shapes(&Token::never()).len() {
        program
            .start(&index.to_string())
            .tells_and_ends_by(&["cancelled"], SIGINT);
    }
}

#[test]
fn a_new_token_works_again() {
    let program = Program::of("default_is_back::a_new_token_works_again", |_| {
        for _ in 0..3 {
            let bell = Bell::new();
            let token = deaf().build().unwrap();
            assert!(!token.is_cancelled());
            interrupt(&token);
            raise(SIGINT);
            bell.ring();
            drop(token);
            tell("dropped");
        }
        raise(SIGINT);
        tell("alive");
    });
    program.start("").tells_and_ends_by(&["dropped"; 3], SIGINT);
}

#[test]
fn each_signal_for_itself() {
    let program = Program::of("default_is_back::each_signal_for_itself", |_| {
        let interrupt = deaf().signals([SIGINT]).build().unwrap();
        let all = deaf().build().unwrap();
        drop(all);
        raise(SIGINT);
        interrupt.wait();
        tell("cancelled");
        raise(SIGTERM);
        tell("alive");
    });
    program.start("").tells_and_ends_by(&["cancelled"], SIGTERM);
}

#[test]
fn it_stays_if_requested() {
    let program = Program::of("default_is_back::it_stays_if_requested", |_| {
        for _ in 0..3 {
            let token = deaf().restore_default(false).build().unwrap();
            raise(SIGINT);
            token.wait();
            drop(token);
            (0..3).for_each(|_| raise(SIGINT));
            tell("alive");
        }
    });
    let running = program.start("");
    (0..3).for_each(|_| running.expect("alive"));
    running.end().with_code(0);
}

/// As in a program that has shut down once and does not want to be hurried.
#[test]
fn it_stays_if_requested_even_after_a_second_signal_would_have_ended_the_program() {
    let test = "default_is_back::it_stays_if_requested_even_after_a_second_signal_would_have_ended_the_program";
    let program = Program::of(test, |_| {
        let bell = Bell::new();
        let token = SignalToken::builder()
            .signals([SIGINT])
            .restore_default(false)
            .build()
            .unwrap();
        raise(SIGINT);
        token.wait();
        bell.ring();
        drop(token);
        (0..3).for_each(|_| raise(SIGINT));
        tell("alive");
    });
    let running = program.start("");
    running.expect("alive");
    running.end().with_code(0);
}

#[test]
fn a_handler_that_was_there_first_is_back() {
    let program = Program::of(
        "default_is_back::a_handler_that_was_there_first_is_back",
        |_| {
            let seen = Arc::new(AtomicBool::new(false));
            signal_hook::flag::register(SIGINT, seen.clone()).unwrap();
            for _ in 0..3 {
                let bell = Bell::new();
                let token = SignalToken::termination().unwrap();
                raise(SIGINT);
                assert!(seen.swap(false, Ordering::SeqCst));
                let error = token.wait();
                assert_eq!(Signal::of(&error), Some(Signal::INTERRUPT));
                bell.ring();
                drop(token);
                raise(SIGINT);
                assert!(seen.swap(false, Ordering::SeqCst));
                tell("alive");
            }
            // A signal without a handler.
            raise(SIGTERM);
            tell("alive");
        },
    );
    program.start("").tells_and_ends_by(&["alive"; 3], SIGTERM);
}
