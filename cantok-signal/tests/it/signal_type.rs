//! What a signal is called, which errors it is found in, and how a program ends by it.
#![cfg(unix)]

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use std::{fmt, io, thread};

use crate::support::program::{self, Program, raise, tell};
use anyhow::Context;
use cantok_core::{CancellationError, ConditionToken, CounterToken, SimpleToken, TimeoutToken};
use cantok_signal::{SecondSignal, Signal, SignalToken};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};

const ALL: [(Signal, &str, i32); 6] = [
    (Signal::INTERRUPT, "SIGINT", SIGINT),
    (Signal::TERMINATION, "SIGTERM", SIGTERM),
    (Signal::HANGUP, "SIGHUP", SIGHUP),
    (Signal::QUIT, "SIGQUIT", SIGQUIT),
    (Signal::USR1, "SIGUSR1", SIGUSR1),
    (Signal::USR2, "SIGUSR2", SIGUSR2),
];

#[test]
fn its_names_and_numbers() {
    for (signal, name, number) in ALL {
        assert_eq!(signal.name(), name);
        assert_eq!(signal.number(), number);
        assert_eq!(i32::from(signal.exit_code()), 128 + number);
        assert!(signal.to_string().contains(name), "{signal}");
        assert!(format!("{signal:?}").contains(name), "{signal:?}");
        for (other, _, also) in ALL {
            assert_eq!(signal == other, number == also);
        }
    }
}

/// Wraps any error, as errors of users' crates do.
#[derive(Debug)]
struct Wrapped<E>(E);

impl<E> fmt::Display for Wrapped<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("something failed")
    }
}

impl<E: Error + 'static> Error for Wrapped<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

/// Speaks for the error inside, as errors of users' crates do, and those of cantok-channel.
#[derive(Debug)]
struct Transparent<E>(E);

impl<E: fmt::Display> fmt::Display for Transparent<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<E: Error> Error for Transparent<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}

fn cancelled_by(reason: impl Into<Box<dyn Error + Send + Sync>>) -> CancellationError {
    let token = SimpleToken::new();
    token.cancel_with(reason);
    token.cancellation().unwrap()
}

/// The error, and what it becomes on its way up to `main`.
fn ways_up(error: &CancellationError) -> Vec<(&'static str, Box<dyn Error>)> {
    let boxed: Box<dyn Error + Send + Sync> = error.clone().into();
    let source = SimpleToken::new();
    let sum = &source + CounterToken::new(1_000);
    source.cancel_with(error.clone());
    vec![
        ("itself", error.clone().into()),
        ("io", io::Error::from(error.clone()).into()),
        ("box", boxed),
        ("wrapped", Wrapped(error.clone()).into()),
        ("twice", Wrapped(Wrapped(error.clone())).into()),
        ("transparent", Transparent(error.clone()).into()),
        (
            "io, transparent",
            Transparent(io::Error::from(error.clone())).into(),
        ),
        (
            "another token's reason, transparent",
            Transparent(sum.cancellation().unwrap()).into(),
        ),
        (
            "io, wrapped",
            Wrapped(io::Error::from(error.clone())).into(),
        ),
        (
            "wrapped, io",
            io::Error::other(Wrapped(error.clone())).into(),
        ),
        ("another token's reason", sum.cancellation().unwrap().into()),
        ("anyhow", anyhow::Error::from(error.clone()).into()),
        (
            "context",
            Err::<(), _>(error.clone())
                .context("inner")
                .context("outer")
                .unwrap_err()
                .into(),
        ),
    ]
}

#[test]
fn it_is_found_in_whatever_wraps_it() {
    for (signal, name, _) in ALL {
        assert_eq!(Signal::of(&signal), Some(signal));
        let error = cancelled_by(signal);
        assert_eq!(error.to_string(), format!("cancelled: {name}"));
        for (way, error) in ways_up(&error) {
            assert_eq!(Signal::of(&*error), Some(signal), "{name}, {way}");
        }
    }
}

#[test]
fn it_is_found_in_sums_and_children() {
    let source = SimpleToken::new().named("stop");
    let sum = TimeoutToken::new(Duration::from_secs(3600)) + &source + SimpleToken::new();
    let child = sum.child();
    let grandchild = (child.child() + ConditionToken::new(|| false)).child();
    source.cancel_with(Signal::HANGUP);
    for token in [&sum, &child, &grandchild] {
        assert_eq!(Signal::of(&token.wait()), Some(Signal::HANGUP));
        assert_eq!(
            Signal::of(&token.check().unwrap_err()),
            Some(Signal::HANGUP)
        );
    }
}

#[test]
fn nothing_else_is_a_signal() {
    let plain = SimpleToken::new();
    plain.cancel();
    let mut errors = vec![
        plain.wait(),
        cancelled_by("SIGINT"),
        cancelled_by(io::Error::from_raw_os_error(4)),
        TimeoutToken::new(Duration::ZERO).wait(),
        ConditionToken::new(|| true).wait(),
    ];
    let counter = CounterToken::new(0);
    errors.extend(counter.check().err());
    assert_eq!(errors.len(), 6);
    for error in &errors {
        for (way, error) in ways_up(error) {
            assert_eq!(Signal::of(&*error), None, "{error}, {way}");
        }
    }
    assert_eq!(
        Signal::of(&io::Error::from(io::ErrorKind::Interrupted)),
        None
    );
    assert_eq!(Signal::of(&fmt::Error), None);
}

/// In which state of affairs the program ends itself.
fn ends_itself(argument: &str) {
    let (how, signal) = argument.rsplit_once(' ').unwrap();
    let signal = ALL.iter().find(|(_, name, _)| *name == signal).unwrap().0;
    let listen = |second| {
        SignalToken::builder()
            .signals([signal])
            .second(second)
            .second_on([signal])
            .build()
            .unwrap()
    };
    print!("a part of a line");
    match how {
        "with a token" => {
            let _token = listen(SecondSignal::Exit(7));
            signal.raise_default();
        }
        "after a first" => {
            let token = listen(SecondSignal::Exit(7));
            raise(signal.number());
            token.wait();
            signal.raise_default();
        }
        "with a deaf token" => {
            let token = listen(SecondSignal::Ignore);
            raise(signal.number());
            token.wait();
            signal.raise_default();
        }
        "with a handler of others" => {
            let flag = Arc::new(AtomicBool::new(false));
            signal_hook::flag::register(signal.number(), flag).unwrap();
            signal.raise_default();
        }
        "on another thread" => {
            let _token = listen(SecondSignal::Exit(7));
            thread::spawn(move || signal.raise_default());
            loop {
                thread::park();
            }
        }
        "on the signals' thread" => {
            let token = listen(SecondSignal::Exit(7));
            let _registration = token.on_cancel(move |_| signal.raise_default());
            raise(signal.number());
            loop {
                thread::park();
            }
        }
        _ => signal.raise_default(),
    }
}

const WAYS: [&str; 7] = [
    "plainly",
    "with a token",
    "after a first",
    "with a deaf token",
    "with a handler of others",
    "on another thread",
    "on the signals' thread",
];

#[track_caller]
fn all_end(program: &Program, ways: &[&str], signals: &[(Signal, &str, i32)]) {
    for (_, name, number) in signals {
        for way in ways {
            let ended = program.start(&format!("{way} {name}")).end();
            ended.by_signal(*number);
            let whole = ended.output.ends_with("a part of a line");
            assert!(whole, "{way} {name}: {}", ended.output);
        }
    }
}

#[test]
fn raise_default_ends_the_program_by_it() {
    let program = Program::of(
        "signal_type::raise_default_ends_the_program_by_it",
        ends_itself,
    );
    all_end(&program, &["plainly"], &ALL);
}

#[test]
fn raise_default_ends_the_program_despite_other_handlers() {
    let test = "signal_type::raise_default_ends_the_program_despite_other_handlers";
    let program = Program::of(test, ends_itself);
    all_end(&program, &WAYS, &ALL[..4]);
}

#[test]
#[cfg(target_os = "linux")]
fn raise_default_ends_the_program_also_where_the_signal_is_blocked_or_ignored() {
    let test =
        "signal_type::raise_default_ends_the_program_also_where_the_signal_is_blocked_or_ignored";
    let mut program = Program::of(test, ends_itself);
    for how in ["--block-signal", "--ignore-signal"] {
        let option = format!("{how}=INT,TERM,HUP,QUIT");
        let wrapper = ["env", &option];
        if !program::is_there(&wrapper) {
            return;
        }
        program = program.under(wrapper);
        all_end(
            &program,
            &["plainly", "with a token", "on another thread"],
            &ALL[..4],
        );
    }
}

#[test]
fn raise_default_runs_no_handler() {
    let program = Program::of("signal_type::raise_default_runs_no_handler", |_| {
        let token = SignalToken::interrupt().unwrap();
        let _registration = token.on_cancel(|_| tell("cancelled"));
        Signal::INTERRUPT.raise_default();
    });
    let running = program.start("");
    running.tells_and_ends_by(&[], SIGINT);
}

#[test]
fn the_signal_is_found_where_it_is_the_error_itself() {
    let signal = Signal::TERMINATION;
    assert_eq!(Signal::of(&signal), Some(signal));
    let once = io::Error::other(signal);
    assert_eq!(Signal::of(&once), Some(signal));
    assert_eq!(Signal::of(&io::Error::other(once)), Some(signal));
}
