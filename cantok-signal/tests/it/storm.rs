//! Signals interrupt anything: no lock that is held where they arrive is waited for.
#![cfg(unix)]

use std::hint::black_box;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::support::program::{Program, Target, hear, tell};
use cantok_signal::{SecondSignal, Signal, SignalToken};
use signal_hook::consts::{SIGINT, SIGTERM, SIGUSR1, SIGUSR2};

const ROUNDS: usize = 10_000;

/// The rounds after which there is a word from the program, each within the time that a test waits.
const PART: usize = 500;

fn rounds() {
    for round in 0..ROUNDS {
        let token = SignalToken::builder()
            .signals([SIGINT, SIGTERM])
            .build()
            .unwrap();
        let signal = [Signal::INTERRUPT, Signal::TERMINATION][round % 2];
        Target::this().signal(signal.number());
        let error = token.wait();
        assert_eq!(Signal::of(&error), Some(signal), "round {round}");
        if (round + 1) % PART == 0 {
            tell("a part");
        }
    }
}

/// Sends the signals, over and over, until the program has told all of this.
fn in_a_storm_of(signals: &[i32], program: &Program, marks: &[&str]) {
    let mut running = program.start("");
    running.expect("ready");
    let target = running.target();
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::SeqCst) {
                signals.iter().for_each(|signal| target.signal(*signal));
                thread::yield_now();
            }
        });
        let heard = panic::catch_unwind(AssertUnwindSafe(|| {
            marks.iter().for_each(|mark| running.expect(mark));
        }));
        over.store(true, Ordering::SeqCst);
        heard.unwrap_or_else(|panic| panic::resume_unwind(panic));
    });
    running.say("over\n");
    running.end().with_code(0);
}

#[test]
fn ten_thousand_signals_while_stdout_and_the_allocator_are_busy() {
    let test = "storm::ten_thousand_signals_while_stdout_and_the_allocator_are_busy";
    let program = Program::of(test, |_| {
        let seen = Arc::new(AtomicBool::new(false));
        signal_hook::flag::register(SIGUSR1, seen.clone()).unwrap();
        let done = Arc::new(AtomicBool::new(false));
        let allocating = thread::spawn({
            let done = done.clone();
            move || {
                while !done.load(Ordering::SeqCst) {
                    drop(black_box(vec![Box::new([0_u64; 200]); 64]));
                }
            }
        });
        tell("ready");
        let signals = thread::spawn({
            let done = done.clone();
            move || {
                rounds();
                done.store(true, Ordering::SeqCst);
            }
        });
        // What is sent to a program interrupts its first thread, if it can: this one, which holds one of the locks
        // most of the time. Blocks that are not small are taken from what all threads share.
        while !signals.is_finished() {
            println!("text");
            for _ in 0..20 {
                let blocks = (1..20).map(|n| Vec::<u8>::with_capacity(n * 1_500));
                drop(black_box(blocks.collect::<Vec<_>>()));
            }
        }
        signals.join().unwrap();
        allocating.join().unwrap();
        assert!(seen.load(Ordering::SeqCst), "no storm");
        tell("done");
        hear();
    });
    let mut marks = vec!["a part"; ROUNDS / PART];
    marks.push("done");
    in_a_storm_of(&[SIGUSR1], &program, &marks);
}

/// They interrupt the thread that installs and removes handlers, and are missed at no moment.
#[test]
fn tokens_come_and_go_while_their_signals_arrive() {
    let test = "storm::tokens_come_and_go_while_their_signals_arrive";
    let program = Program::of(test, |_| {
        let builder = |signals: &[i32]| SignalToken::builder().signals(signals);
        // Without it the default action would be back now and then.
        let deaf = builder(&[SIGINT, SIGTERM]).second(SecondSignal::Ignore);
        let _all = deaf.build().unwrap();
        tell("ready");
        for round in 0..ROUNDS {
            // Other handlers each time, which end the program at a signal that is not sent.
            let code = u8::try_from(round % 200).unwrap();
            let exit = builder(&[SIGINT, SIGTERM, SIGUSR2]).second(SecondSignal::Exit(code));
            drop(exit.second_on([SIGUSR2]).build().unwrap());
            if (round + 1) % PART == 0 {
                tell("a part");
            }
        }
        tell("done");
        // The storm goes on until the test has heard of it.
        hear();
    });
    let mut marks = vec!["a part"; ROUNDS / PART];
    marks.push("done");
    in_a_storm_of(&[SIGINT, SIGTERM], &program, &marks);
}
