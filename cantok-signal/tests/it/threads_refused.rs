//! Where the system refuses a thread there is no token, and the signals do what they did before.
#![cfg(target_os = "linux")]

use std::{fs, thread};

use crate::support::program::{Program, raise, tell};
use cantok_signal::SignalToken;
use cantok_testkit::refused::where_threads_are_refused;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// A bit for each signal that has a handler.
fn handled() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    u64::from_str_radix(mask.unwrap().trim(), 16).unwrap()
}

fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

#[test]
fn nothing_is_left_of_a_token_that_could_not_be_built() {
    let test = "threads_refused::nothing_is_left_of_a_token_that_could_not_be_built";
    where_threads_are_refused(test, || {
        let before = (handled(), descriptors());
        for _ in 0..10 {
            SignalToken::interrupt().unwrap_err();
            SignalToken::termination().unwrap_err();
        }
        assert_eq!((handled(), descriptors()), before);
    });
}

#[test]
fn the_signals_end_the_program() {
    let program = Program::of("threads_refused::the_signals_end_the_program", |signal| {
        assert!(thread::Builder::new().spawn(|| ()).is_err());
        SignalToken::termination().unwrap_err();
        tell("refused");
        raise(signal.parse().unwrap());
        tell("alive");
    });
    // More stack than there are addresses.
    let program = program.with("RUST_MIN_STACK", (1_u64 << 46).to_string());
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        let running = program.start(&signal.to_string());
        running.tells_and_ends_by(&["refused"], signal);
    }
}
