//! Ctrl-C, typed into a terminal.
// Elsewhere there is no way to open the other end without making it this process's own terminal.
#![cfg(target_os = "linux")]

use crate::support::pseudo_terminal;
use std::io;
use std::path::PathBuf;
use std::sync::mpsc;
use std::thread;

use crate::support::program::{Program, Running, tell};
use cantok_core::CancellationError;
use cantok_signal::SignalToken;
use rustix::process::{ioctl_tiocsctty, setsid};
use signal_hook::consts::{SIGHUP, SIGINT};
use tempfile::NamedTempFile;

const CTRL_C: &str = "\x03";

/// Makes its standard input the terminal that its signals come from.
fn sit_down_at_the_terminal() {
    setsid().unwrap();
    ioctl_tiocsctty(io::stdin()).unwrap();
}

fn at_a_terminal(program: Program) -> Running {
    let running = program.in_terminal(pseudo_terminal::open).start("");
    running.expect("ready");
    running
}

#[test]
fn the_first_ctrl_c_ends_the_program_after_its_clean_up() {
    let test = "terminal::the_first_ctrl_c_ends_the_program_after_its_clean_up";
    let program = Program::of(test, |_| {
        sit_down_at_the_terminal();
        let token = SignalToken::interrupt().unwrap();
        let result = token.run(|token| -> Result<(), CancellationError> {
            tell("ready");
            let file = NamedTempFile::new().unwrap();
            tell(file.path().display());
            let error = token.wait();
            print!("the clean-up is done");
            Err(error)
        });
        unreachable!("{result:?}");
    });
    let mut running = at_a_terminal(program);
    let file = PathBuf::from(running.next().expect("the name of a file"));
    assert!(file.exists());
    running.say(CTRL_C);
    let ended = running.end();
    ended.by_signal(SIGINT);
    let whole = ended.output.ends_with("the clean-up is done");
    assert!(whole, "{}", ended.output);
    assert!(!file.exists());
}

#[test]
fn two_that_are_typed_together_or_the_third_end_the_program() {
    let test = "terminal::two_that_are_typed_together_or_the_third_end_the_program";
    let program = Program::of(test, |_| {
        sit_down_at_the_terminal();
        let token = SignalToken::interrupt().unwrap();
        tell("ready");
        token.wait();
        tell("cancelled");
        loop {
            thread::park();
        }
    });
    let mut running = at_a_terminal(program);
    running.say(CTRL_C);
    running.say(CTRL_C);
    if running.next().as_deref() == Some("cancelled") {
        // Not typed, since the terminal may have been left by now.
        running.signal(SIGINT);
    }
    running.end().by_signal(SIGINT);
}

#[test]
fn the_second_ctrl_c_ends_a_program_that_is_stuck() {
    let program = Program::of(
        "terminal::the_second_ctrl_c_ends_a_program_that_is_stuck",
        |_| {
            sit_down_at_the_terminal();
            let token = SignalToken::interrupt().unwrap();
            tell("ready");
            token.wait();
            tell("stuck");
            loop {
                std::hint::spin_loop();
            }
        },
    );
    let mut running = at_a_terminal(program);
    running.say(CTRL_C);
    running.expect("stuck");
    running.say(CTRL_C);
    running.end().by_signal(SIGINT);
}

#[test]
fn without_a_token_it_ends_the_program_at_once() {
    let program = Program::of(
        "terminal::without_a_token_it_ends_the_program_at_once",
        |_| {
            sit_down_at_the_terminal();
            drop(SignalToken::termination().unwrap());
            tell("ready");
            loop {
                thread::park();
            }
        },
    );
    let mut running = at_a_terminal(program);
    running.say(CTRL_C);
    running.end().by_signal(SIGINT);
}

/// A read cannot be cancelled: it is left to a thread of its own.
#[test]
fn a_program_that_reads_what_is_typed() {
    let program = Program::of("terminal::a_program_that_reads_what_is_typed", |_| {
        sit_down_at_the_terminal();
        let token = SignalToken::interrupt().unwrap();
        let result = token.run(|token| -> Result<(), CancellationError> {
            let (sender, lines) = mpsc::channel();
            thread::spawn(move || {
                for line in io::stdin().lines() {
                    sender.send(line.unwrap()).unwrap();
                }
            });
            tell("ready");
            tell(lines.recv().unwrap());
            // The thread is, or soon will be, in its next read.
            let error = token.wait();
            print!("the clean-up is done");
            Err(error)
        });
        unreachable!("{result:?}");
    });
    let mut running = at_a_terminal(program);
    running.say("a line\n");
    running.expect("a line");
    running.say(CTRL_C);
    let ended = running.end();
    ended.by_signal(SIGINT);
    let whole = ended.output.ends_with("the clean-up is done");
    assert!(whole, "{}", ended.output);
}

/// The terminal is closed.
#[test]
fn a_hangup_ends_the_program_after_its_clean_up() {
    let program = Program::of(
        "terminal::a_hangup_ends_the_program_after_its_clean_up",
        |_| {
            sit_down_at_the_terminal();
            let token = SignalToken::termination().unwrap();
            let result = token.run(|token| -> Result<(), CancellationError> {
                tell("ready");
                let error = token.wait();
                tell("the clean-up is done");
                Err(error)
            });
            unreachable!("{result:?}");
        },
    );
    let mut running = at_a_terminal(program);
    running.hang_up();
    running.expect("the clean-up is done");
    running.end().by_signal(SIGHUP);
}
