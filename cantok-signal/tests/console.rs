//! What happens when Ctrl-C is typed at a console of Windows: programs at which `.ci/windows` types when they ask for it,
//! and whose end it reads. A name begins with how the program ends: `default` with the code of the default handler,
//! `system` by that handler itself, `exit_7` with that code.
#![cfg(windows)]

use std::time::Duration;
use std::{io, process, thread};

use cantok_core::Token;
use cantok_signal::{SecondSignal, Signal, SignalToken, SignalTokenBuilder};
use tokio::runtime::{Builder, Runtime};
use tokio::signal::windows::{CtrlC, ctrl_c};

/// No program lives longer.
const LIFE: Duration = Duration::from_secs(100);

fn watched() {
    thread::spawn(|| {
        thread::sleep(LIFE);
        process::abort();
    });
}

/// Ctrl-C is to be typed.
fn type_it() {
    println!("@type@");
}

/// It was typed, and cancels the token.
fn interrupt(token: &Token) {
    type_it();
    let error = token.wait();
    assert_eq!(Signal::of(&error), Some(Signal::INTERRUPT));
    println!("@cancelled@");
}

/// Nothing but the end gets this thread out of here.
fn stuck() -> ! {
    type_it();
    loop {
        std::hint::spin_loop();
    }
}

/// Of other code.
struct Other(Runtime, CtrlC);

impl Other {
    fn new() -> Other {
        let runtime = Builder::new_current_thread().build().unwrap();
        let listener = runtime.block_on(async { ctrl_c().unwrap() });
        Other(runtime, listener)
    }

    /// Ctrl-C is typed, and has come.
    fn hears(&mut self) {
        type_it();
        self.0.block_on(self.1.recv()).unwrap();
        println!("@heard@");
    }
}

fn with(second: SecondSignal) -> SignalTokenBuilder {
    SignalToken::builder().second(second)
}

#[test]
#[ignore = "needs a console and typed Ctrl-C, as in .ci/windows"]
fn default_the_second_ends_a_stuck_program() {
    watched();
    let token = SignalToken::interrupt().unwrap();
    interrupt(&token);
    stuck();
}

#[test]
#[ignore = "needs a console and typed Ctrl-C, as in .ci/windows"]
fn default_while_a_callback_is_stuck() {
    watched();
    let token = SignalToken::interrupt().unwrap();
    token.on_cancel(|_| stuck()).detach();
    interrupt(&token);
    loop {
        thread::park();
    }
}

#[test]
#[ignore = "needs a console and typed Ctrl-C, as in .ci/windows"]
fn default_after_a_callback_has_panicked() {
    watched();
    let token = SignalToken::interrupt().unwrap();
    let _registration = token.on_cancel(|_| panic!("on purpose"));
    interrupt(&token);
    // The thread that cancels goes on.
    let token = SignalToken::interrupt().unwrap();
    interrupt(&token);
    stuck();
}

#[test]
#[ignore = "needs a console and typed Ctrl-C, as in .ci/windows"]
fn system_after_the_last_token() {
    watched();
    drop(SignalToken::termination().unwrap());
    stuck();
}

#[test]
#[ignore = "needs a console and typed Ctrl-C, as in .ci/windows"]
fn system_after_the_last_token_that_was_cancelled() {
    watched();
    for _ in 0..3 {
        let token = SignalToken::interrupt().unwrap();
        interrupt(&token);
    }
    stuck();
}

#[test]
#[ignore = "needs a console and typed Ctrl-C, as in .ci/windows"]
fn default_two_libraries() {
    watched();
    let one = SignalToken::interrupt().unwrap();
    let other = with(SecondSignal::Ignore).build().unwrap();
    interrupt(&one);
    let error = other.wait();
    assert_eq!(Signal::of(&error), Some(Signal::INTERRUPT));
    stuck();
}

#[test]
#[ignore = "needs a console and typed Ctrl-C, as in .ci/windows"]
fn default_run() {
    watched();
    let token = SignalToken::termination().unwrap();
    let result = token.run(|token| -> io::Result<()> {
        interrupt(token);
        Ok(token.check()?)
    });
    unreachable!("{result:?}");
}

#[test]
#[ignore = "needs a console and typed Ctrl-C, as in .ci/windows"]
fn exit_5_run_exits_on_it() {
    watched();
    let token = SignalToken::builder().exit_on(Signal::INTERRUPT, 5);
    let result = token.build().unwrap().run(|token| -> io::Result<()> {
        interrupt(token);
        Ok(token.check()?)
    });
    unreachable!("{result:?}");
}

#[test]
#[ignore = "needs a console and typed Ctrl-C, as in .ci/windows"]
fn exit_7_the_second_exits() {
    watched();
    let token = with(SecondSignal::Exit(7)).build().unwrap();
    interrupt(&token);
    stuck();
}

#[test]
#[ignore = "needs a console and typed Ctrl-C, as in .ci/windows"]
fn exit_0_further_ones_are_ignored() {
    watched();
    let mut other = Other::new();
    let token = with(SecondSignal::Ignore).build().unwrap();
    other.hears();
    token.wait();
    (0..3).for_each(|_| other.hears());
}

#[test]
#[ignore = "needs a console and typed Ctrl-C, as in .ci/windows"]
fn default_tokio_hears_it_and_the_second_ends_the_program() {
    watched();
    let mut other = Other::new();
    let token = SignalToken::interrupt().unwrap();
    other.hears();
    token.wait();
    stuck();
}

#[test]
#[ignore = "needs a console and typed Ctrl-C, as in .ci/windows"]
fn exit_0_tokio_goes_on_after_the_last_token() {
    watched();
    let mut other = Other::new();
    let token = SignalToken::interrupt().unwrap();
    interrupt(&token);
    drop(token);
    // The one that the token was cancelled by.
    other.0.block_on(other.1.recv()).unwrap();
    (0..3).for_each(|_| other.hears());
}

#[test]
#[ignore = "needs a console and typed Ctrl-C, as in .ci/windows"]
fn exit_0_it_stays_if_requested() {
    watched();
    let token = SignalToken::builder().restore_default(false).build();
    drop(token.unwrap());
    let mut other = Other::new();
    (0..2).for_each(|_| other.hears());
}

#[test]
#[ignore = "needs a console and typed Ctrl-C, as in .ci/windows"]
fn exit_0_a_token_for_each_command() {
    watched();
    let _at_the_prompt = with(SecondSignal::Ignore).build().unwrap();
    for _ in 0..3 {
        interrupt(&SignalToken::interrupt().unwrap());
    }
}

#[test]
#[ignore = "needs a console and typed Ctrl-C, as in .ci/windows"]
fn system_before_any_token() {
    watched();
    stuck();
}
