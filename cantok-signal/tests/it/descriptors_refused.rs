//! Where the system refuses a descriptor there is no token, and everything does what it did before.
#![cfg(target_os = "linux")]

use std::fs::{self, File};
use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::support::program::{Program, Running, is_there, raise, tell};
use cantok_signal::{Signal, SignalToken, SignalTokenBuilder};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2};

/// More signals than any number of descriptors that is left below.
fn all() -> SignalTokenBuilder {
    SignalToken::builder().signals([SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2])
}

/// What signals do, how many threads and how many descriptors there are.
fn state() -> (Vec<String>, usize, usize) {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let is_mask = |line: &&str| line.starts_with("SigIgn:") || line.starts_with("SigCgt:");
    let masks = status.lines().filter(is_mask);
    let count = |folder| fs::read_dir(folder).unwrap().count();
    let masks = masks.map(str::to_owned).collect();
    (masks, count("/proc/self/task"), count("/proc/self/fd"))
}

/// Runs `f` where the system grants so many descriptors and no more.
fn with_descriptors_left<T>(left: u64, f: impl FnOnce() -> T) -> T {
    let before = getrlimit(Resource::Nofile);
    let mut taken: Vec<_> = (0..left)
        .map(|_| File::open("/dev/null").unwrap())
        .collect();
    // The limit is on their numbers: the free ones below are used up first.
    let limit = Rlimit {
        current: Some(64),
        ..before
    };
    setrlimit(Resource::Nofile, limit).unwrap();
    let mut filler = Vec::new();
    while let Ok(file) = File::open("/dev/null") {
        filler.push(file);
    }
    taken.clear();
    let result = f();
    drop(filler);
    setrlimit(Resource::Nofile, before).unwrap();
    result
}

fn refused(left: u64) {
    let before = state();
    let error = with_descriptors_left(left, || all().build().unwrap_err());
    assert_ne!(error.kind(), ErrorKind::InvalidInput, "{error}");
    assert_eq!(state(), before, "{left} left, {error}");
}

fn under_nohup(program: Program, then: impl Fn(Running)) {
    if !is_there(&["nohup"]) {
        return;
    }
    let program = program.under(["nohup"]);
    for left in 0..=3 {
        then(program.start(&left.to_string()));
    }
}

#[test]
fn at_the_first_build() {
    let program = Program::of("descriptors_refused::at_the_first_build", |left| {
        refused(left.parse().unwrap());
        raise(SIGHUP);
        tell("ignored");
        let token = all().build().unwrap();
        assert!(token.signals().all(|signal| signal != Signal::HANGUP));
        drop(token);
        raise(SIGHUP);
        tell("still ignored");
        raise(SIGTERM);
        tell("alive");
    });
    under_nohup(program, |running| {
        running.tells_and_ends_by(&["ignored", "still ignored"], SIGTERM);
    });
}

#[test]
fn at_a_later_build() {
    let program = Program::of("descriptors_refused::at_a_later_build", |left| {
        // Of other code.
        let terminated = Arc::<AtomicBool>::default();
        signal_hook::flag::register(SIGTERM, terminated).unwrap();
        let token = SignalToken::interrupt().unwrap();
        refused(left.parse().unwrap());
        (0..3).for_each(|_| raise(SIGHUP));
        (0..3).for_each(|_| raise(SIGTERM));
        tell("alive");
        raise(SIGINT);
        assert_eq!(Signal::of(&token.wait()), Some(Signal::INTERRUPT));
        tell("cancelled");
        // A build that fails does not restart the count.
        refused(left.parse().unwrap());
        raise(SIGINT);
        tell("alive");
    });
    under_nohup(program, |running| {
        running.tells_and_ends_by(&["alive", "cancelled"], SIGINT);
    });
}
