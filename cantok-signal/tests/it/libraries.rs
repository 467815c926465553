//! Tokens in libraries that know nothing of each other.
#![cfg(unix)]

use std::collections::HashSet;
use std::sync::mpsc;
use std::thread::{self, ThreadId};

use crate::support::bell::Bell;
use crate::support::program::{Program, interrupt, raise, tell};
use cantok_core::{Registration, Token};
use cantok_signal::{SecondSignal, Signal, SignalToken};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// A library that stops at any request to end the program.
mod server {
    use super::{SignalToken, Token};

    pub(crate) fn start() -> Token {
        SignalToken::termination().unwrap().into()
    }
}

/// One that stops at Ctrl-C.
mod search {
    use super::{SignalToken, Token};

    pub(crate) fn start() -> Token {
        let token = SignalToken::interrupt().unwrap();
        &token + cantok_core::SimpleToken::new()
    }
}

/// A callback that never ends.
fn block(token: &Token) -> Registration {
    token.on_cancel(|_| {
        loop {
            thread::park();
        }
    })
}

#[test]
fn one_signal_cancels_all() {
    let program = Program::of("libraries::one_signal_cancels_all", |_| {
        let libraries = [server::start, search::start, search::start, server::start];
        let starting = libraries.map(thread::spawn);
        let tokens = starting.map(|thread| thread.join().unwrap());
        raise(SIGINT);
        let waiting = tokens.map(|token| thread::spawn(move || token.wait()));
        for thread in waiting {
            let error = thread.join().unwrap();
            assert_eq!(Signal::of(&error), Some(Signal::INTERRUPT));
        }
    });
    program.start("").end().with_code(0);
}

#[test]
fn only_those_that_listen_to_it() {
    let program = Program::of("libraries::only_those_that_listen_to_it", |_| {
        let (server, search) = (server::start(), search::start());
        raise(SIGHUP);
        server.wait();
        assert!(!search.is_cancelled());
        // Its first.
        interrupt(&search);
        let error = server.wait();
        assert_eq!(Signal::of(&error), Some(Signal::HANGUP));
    });
    let ended = program.start("").end();
    // The server was told before, so that SIGINT is a second signal to it.
    ended.by_signal(SIGINT);
}

#[test]
fn a_first_signal_of_others_is_none_of_ours() {
    let program = Program::of(
        "libraries::a_first_signal_of_others_is_none_of_ours",
        |_| {
            let term = SignalToken::builder().signals([SIGTERM]).build().unwrap();
            let int = SignalToken::interrupt().unwrap();
            raise(SIGTERM);
            term.wait();
            assert!(!int.is_cancelled());
            interrupt(&int);
            tell("cancelled");
            raise(SIGINT);
            tell("alive");
        },
    );
    let running = program.start("");
    running.tells_and_ends_by(&["cancelled"], SIGINT);
}

#[test]
fn a_callback_that_blocks_keeps_no_token_from_being_cancelled() {
    let test = "libraries::a_callback_that_blocks_keeps_no_token_from_being_cancelled";
    let program = Program::of(test, |blocking| {
        let blocking: usize = blocking.parse().unwrap();
        let tokens = [server::start(), search::start(), server::start()];
        let children = tokens.each_ref().map(|token| token.child());
        let _registrations: Vec<_> = match blocking {
            3 => tokens.iter().map(block).collect(),
            index => vec![block(&tokens[index]), block(&tokens[index])],
        };
        raise(SIGINT);
        for token in &tokens {
            token.wait();
        }
        for child in &children {
            assert!(child.is_cancelled());
        }
        tell("cancelled");
        raise(SIGINT);
        tell("alive");
    });
    for blocking in 0..4 {
        let running = program.start(&blocking.to_string());
        running.expect("cancelled");
        running.end().by_signal(SIGINT);
    }
}

#[test]
fn one_thread_runs_all_callbacks() {
    let program = Program::of("libraries::one_thread_runs_all_callbacks", |_| {
        let mut threads = HashSet::<ThreadId>::new();
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            let (told, heard) = mpsc::channel();
            let tokens = [server::start(), server::start()];
            let _registrations = tokens.each_ref().map(|token| {
                let told = told.clone();
                token.on_cancel(move |_| told.send(thread::current().id()).unwrap())
            });
            drop(told);
            raise(signal);
            threads.extend(heard.iter());
        }
        assert_eq!(threads.len(), 1);
        assert!(!threads.contains(&thread::current().id()));
    });
    program.start("").end().with_code(0);
}

fn with_second(second: SecondSignal) -> SignalToken {
    let builder = SignalToken::builder().signals([SIGINT]).second(second);
    builder.build().unwrap()
}

/// Of two tokens the stronger wish holds, and when it is gone the weaker.
#[test]
fn the_strongest_wish_of_the_living_holds() {
    let program = Program::of(
        "libraries::the_strongest_wish_of_the_living_holds",
        |wishes| {
            let (living, dropped) = wishes.split_once('/').unwrap();
            let of = |wishes: &str| -> Vec<SignalToken> {
                let wish = |letter| match letter {
                    'd' => SecondSignal::DefaultAction,
                    'e' => SecondSignal::Exit(7),
                    'f' => SecondSignal::Exit(9),
                    _ => SecondSignal::Ignore,
                };
                wishes.chars().map(|l| with_second(wish(l))).collect()
            };
            let bell = Bell::new();
            let (dropped, living) = (of(dropped), of(living));
            raise(SIGINT);
            for token in dropped.iter().chain(&living) {
                token.wait();
            }
            bell.ring();
            drop(dropped);
            tell("cancelled");
            (0..3).for_each(|_| raise(SIGINT));
            tell("alive");
        },
    );
    for wishes in [
        "d/", "de/", "ed/", "di/", "id/", "ied/", "d/e", "d/i", "di/e",
    ] {
        let running = program.start(wishes);
        running.expect("cancelled");
        assert_eq!(running.next(), None, "{wishes}");
        running.end().by_signal(SIGINT);
    }
    for wishes in [
        "e/", "ei/", "ie/", "e/d", "ei/d", "ie/d", "e/i", "ef/", "fe/",
    ] {
        let running = program.start(wishes);
        running.expect("cancelled");
        assert_eq!(running.next(), None, "{wishes}");
        running.end().with_code(7);
    }
    for wishes in ["i/", "ii/", "i/d", "i/e", "i/de"] {
        let running = program.start(wishes);
        running.expect("cancelled");
        running.expect("alive");
        running.end().with_code(0);
    }
}
