//! SIGTERM and SIGHUP may come as often as they like: the clean-up is done, and the program ends as it chooses.
#![cfg(unix)]

use std::{process, thread};

use crate::support::program::{self, Program, Running, raise, side_by_side, tell};
use cantok_core::CancellationError;
use cantok_signal::SignalToken;
use signal_hook::consts::{SIGHUP, SIGTERM};

const ROUNDS: usize = 100;

/// Ends by itself after a clean-up which is long enough for signals to come.
fn cleans_up(how: &str) {
    let token = SignalToken::termination().unwrap();
    let work = |token: &SignalToken| {
        tell("ready");
        let error = token.wait();
        (0..100).for_each(|_| thread::yield_now());
        println!("the clean-up is done");
        if how == "by itself" {
            process::exit(3);
        }
        Err(error)
    };
    let result: Result<(), CancellationError> = token.run(work);
    unreachable!("{result:?}");
}

#[track_caller]
fn ends_cleanly(running: Running, code: Option<i32>) {
    let ended = running.end();
    match code {
        Some(code) => ended.with_code(code),
        None => ended.by_signal(SIGTERM),
    }
    let whole = ended.output.ends_with("the clean-up is done\n");
    assert!(whole, "{}", ended.output);
}

#[test]
fn twice_in_a_row() {
    let program = Program::of("repeated::twice_in_a_row", cleans_up);
    side_by_side(ROUNDS, |round| {
        let (how, code) = [("by itself", Some(3)), ("by the signal", None)][round % 2];
        let running = program.start(how);
        running.expect("ready");
        running.signal(SIGTERM);
        running.signal(SIGTERM);
        ends_cleanly(running, code);
    });
}

/// `timeout` signals its child and then its group, which the child belongs to: when its time is up, and also when it
/// is signalled itself, which takes no time.
#[test]
#[cfg(target_os = "linux")]
fn from_timeout() {
    let program = Program::of("repeated::from_timeout", cleans_up);
    let wrapper = ["timeout", "-s", "TERM", "600"];
    if !program::is_there(&wrapper) {
        return;
    }
    let program = program.under(wrapper);
    side_by_side(ROUNDS, |_| {
        let running = program.start("by itself");
        running.expect("ready");
        // Before that it may not have noticed that it has started something.
        running.expect_to_sleep();
        running.signal(SIGTERM);
        ends_cleanly(running, Some(3));
    });
}

#[test]
fn any_number_of_times_on_any_thread() {
    let program = Program::of("repeated::any_number_of_times_on_any_thread", |_| {
        let token = SignalToken::termination().unwrap();
        raise(SIGHUP);
        token.wait();
        thread::scope(|scope| {
            for signal in [SIGTERM, SIGHUP] {
                scope.spawn(move || (0..10_000).for_each(|_| raise(signal)));
            }
        });
        tell("alive");
    });
    let running = program.start("");
    running.expect("alive");
    running.end().with_code(0);
}
