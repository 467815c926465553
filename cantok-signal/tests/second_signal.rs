//! A second SIGINT ends the program at once, whatever it is stuck in. Beside other tests it would take longer.
#![cfg(unix)]

mod support;

use std::hint::spin_loop;
use std::io::{self, Write};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::program::{Program, keep_all_cores_busy, raise, tell};
use cantok_signal::SignalToken;
use signal_hook::consts::{SIGINT, SIGTERM};

/// The requirement is 100 ms.
const AT_ONCE: Duration = Duration::from_millis(100);

const TRIES: usize = 10;

/// Gets stuck, is sent a second signal, and must be dead in no time. The least time of some tries counts: what the
/// machine adds to the others is not known.
fn a_second_signal_ends_it(program: &Program, stuck: &[&str]) {
    let least = (0..TRIES).map(|_| {
        let running = program.start("");
        running.expect("ready");
        running.signal(SIGINT);
        for mark in stuck {
            running.expect(mark);
        }
        let sent = Instant::now();
        running.signal(SIGINT);
        let ended = running.end();
        ended.by_signal(SIGINT);
        ended.at.duration_since(sent)
    });
    let least = least.min().unwrap();
    assert!(least <= AT_ONCE, "{least:?}");
}

fn stuck() -> ! {
    loop {
        spin_loop();
    }
}

#[test]
fn a_clean_up_that_is_stuck() {
    let program = Program::of("a_clean_up_that_is_stuck", |_| {
        let token = SignalToken::interrupt().unwrap();
        tell("ready");
        token.wait();
        tell("stuck");
        stuck();
    });
    a_second_signal_ends_it(&program, &["stuck"]);
}

#[test]
fn a_callback_that_is_stuck() {
    let program = Program::of("a_callback_that_is_stuck", |_| {
        let token = SignalToken::interrupt().unwrap();
        let _registration = token.on_cancel(|_| {
            tell("stuck");
            stuck();
        });
        tell("ready");
        loop {
            thread::park();
        }
    });
    a_second_signal_ends_it(&program, &["stuck"]);
}

#[test]
fn both_are_stuck_and_all_cores_are_busy() {
    let program = Program::of("both_are_stuck_and_all_cores_are_busy", |_| {
        let token = SignalToken::termination().unwrap();
        let _registration = token.on_cancel(|_| {
            tell("stuck");
            stuck();
        });
        keep_all_cores_busy();
        tell("ready");
        token.wait();
        tell("stuck");
        stuck();
    });
    a_second_signal_ends_it(&program, &["stuck", "stuck"]);
}

/// What ends the program must not want to flush it.
#[test]
fn a_clean_up_that_is_stuck_with_the_lock_of_stdout() {
    let test = "a_clean_up_that_is_stuck_with_the_lock_of_stdout";
    let program = Program::of(test, |_| {
        let token = SignalToken::interrupt().unwrap();
        tell("ready");
        token.wait();
        let mut stdout = io::stdout().lock();
        stdout.write_all(b"some of it").unwrap();
        tell("stuck");
        stuck();
    });
    a_second_signal_ends_it(&program, &["stuck"]);
}

/// The handler itself ends the program, without another thread.
#[test]
fn on_the_thread_that_it_arrives_on() {
    let program = Program::of("on_the_thread_that_it_arrives_on", |first| {
        let token = SignalToken::termination().unwrap();
        raise(first.parse().unwrap());
        token.wait();
        tell("cancelled");
        raise(SIGINT);
        tell("alive");
    });
    for first in [SIGINT, SIGTERM] {
        let running = program.start(&first.to_string());
        running.tells_and_ends_by(&["cancelled"], SIGINT);
    }
}

/// The thread that cancels has yet to hear of the first, and never will.
#[test]
fn while_another_token_is_dropped() {
    let program = Program::of("while_another_token_is_dropped", |_| {
        let blocking = SignalToken::interrupt().unwrap();
        let _registration = blocking.on_cancel(|_| stuck());
        raise(SIGINT);
        blocking.wait();
        let _token = SignalToken::interrupt().unwrap();
        let dropped = SignalToken::interrupt().unwrap();
        raise(SIGINT);
        drop(dropped);
        tell("dropped");
        raise(SIGINT);
        tell("alive");
    });
    let running = program.start("");
    running.tells_and_ends_by(&["dropped"], SIGINT);
}
