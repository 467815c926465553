//! The first signal cancels the token, and the program ends by that signal after its clean-up.
#![cfg(unix)]

use std::error::Error;
use std::io::Write;
use std::path::PathBuf;
use std::sync::mpsc;
use std::time::Duration;
use std::{fmt, io, process, thread};

use crate::support::program::{Program, raise, tell};
use anyhow::Context;
use cantok_core::{CancellationError, Cause, SimpleToken, TimeoutToken};
use cantok_signal::{Signal, SignalToken};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use tempfile::NamedTempFile;

fn works_until_it_must_stop(token: &SignalToken) -> Result<(), Box<dyn Error>> {
    let file = NamedTempFile::new()?;
    tell(file.path().display());
    println!("a line");
    let error = token.wait();
    // Not the whole line: what is not flushed would be lost.
    print!("the clean-up is done");
    Err(error.into())
}

#[test]
fn the_program_ends_by_the_signal_after_its_clean_up() {
    let test = "first_signal::the_program_ends_by_the_signal_after_its_clean_up";
    let program = Program::of(test, |token| {
        let token = match token {
            "interrupt" => SignalToken::interrupt(),
            _ => SignalToken::termination(),
        };
        let result = token.unwrap().run(works_until_it_must_stop);
        unreachable!("{result:?}");
    });
    for (token, signal) in [
        ("interrupt", SIGINT),
        ("termination", SIGINT),
        ("termination", SIGTERM),
        ("termination", SIGHUP),
    ] {
        let running = program.start(token);
        let file = PathBuf::from(running.next().expect("the name of a file"));
        assert!(file.exists());
        running.signal(signal);
        let ended = running.end();
        ended.by_signal(signal);
        let whole = ended.output.ends_with("a line\nthe clean-up is done");
        assert!(whole, "{}", ended.output);
        assert!(!file.exists());
    }
}

/// Something to be left in order that an error owns.
struct Kept;

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("kept")
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        tell("dropped");
    }
}

#[test]
fn the_error_is_dropped_before_the_end() {
    let program = Program::of("first_signal::the_error_is_dropped_before_the_end", |_| {
        let result = SignalToken::interrupt().unwrap().run(|token| {
            raise(SIGINT);
            Err::<(), _>(token.wait()).context(Kept)
        });
        unreachable!("{result:?}");
    });
    let running = program.start("");
    running.expect("dropped");
    running.end().by_signal(SIGINT);
}

#[test]
fn output_is_flushed_by_who_has_locked_it_and_where_threads_are_refused() {
    let test = "first_signal::output_is_flushed_by_who_has_locked_it_and_where_threads_are_refused";
    let program = Program::of(test, |how| {
        let mut out = io::stdout().lock();
        if how == "refused" {
            write!(out, "the last words").unwrap();
            Signal::TERMINATION.raise_default();
        }
        let result = SignalToken::termination().unwrap().run(|token| {
            raise(SIGTERM);
            token.wait();
            write!(out, "the last words")?;
            io::Result::<()>::Err(token.wait().into())
        });
        unreachable!("{result:?}");
    });
    let threads = (1_u64 << 46).to_string();
    let refused = Program::of(test, |_| ()).with("RUST_MIN_STACK", threads);
    for running in [program.start("locked"), refused.start("refused")] {
        let ended = running.end();
        ended.by_signal(SIGTERM);
        let whole = ended.output.ends_with("the last words");
        assert!(whole, "{}", ended.output);
    }
}

#[test]
fn a_lock_of_standard_output_keeps_no_program_alive() {
    let test = "first_signal::a_lock_of_standard_output_keeps_no_program_alive";
    let program = Program::of(test, |_| {
        let (locked, is_locked) = mpsc::channel();
        thread::spawn(move || {
            let _lock = io::stdout().lock();
            locked.send(()).unwrap();
            loop {
                thread::park();
            }
        });
        is_locked.recv().unwrap();
        let result = SignalToken::termination().unwrap().run(|token| {
            tell("ready");
            Err::<(), _>(token.wait())
        });
        unreachable!("{result:?}");
    });
    let running = program.start("");
    running.expect("ready");
    running.signal(SIGTERM);
    running.end().by_signal(SIGTERM);
}

#[test]
fn the_token_tells_which_signal_it_was() {
    let program = Program::of(
        "first_signal::the_token_tells_which_signal_it_was",
        |signal| {
            let token = SignalToken::termination().unwrap().named("stop");
            let (told, heard) = mpsc::channel();
            let _registration = token.on_cancel(move |error| {
                told.send((error.clone(), thread::current().id())).unwrap();
            });
            assert!(!token.is_cancelled() && token.cancellation().is_none());
            tell("ready");
            let error = token.wait();
            let Cause::Reason(reason) = error.cause() else {
                panic!("{error:?}")
            };
            let reason = reason.as_error().downcast_ref::<Signal>().unwrap();
            assert_eq!(error.reason(), Some(reason));
            assert_eq!(token.cancellation(), Some(error.clone()));
            assert_eq!(token.check(), Err(error.clone()));
            assert!(error.is_from(&token) && token.is_cancelled());
            assert_eq!(error.name(), Some("stop"));
            let (heard, thread) = heard.recv().unwrap();
            assert_eq!(heard, error);
            assert_ne!(thread, thread::current().id());
            assert_eq!(reason.number(), signal.parse().unwrap());
        },
    );
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        let running = program.start(&signal.to_string());
        running.expect("ready");
        running.signal(signal);
        running.end().with_code(0);
    }
}

#[test]
fn what_it_does_not_listen_to_keeps_its_default() {
    let program = Program::of(
        "first_signal::what_it_does_not_listen_to_keeps_its_default",
        |token| {
            let _token = match token {
                "interrupt" => SignalToken::interrupt(),
                _ => SignalToken::termination(),
            };
            tell("ready");
            loop {
                thread::park();
            }
        },
    );
    for (token, signal) in [
        ("interrupt", SIGTERM),
        ("interrupt", SIGHUP),
        ("termination", SIGQUIT),
    ] {
        let running = program.start(token);
        running.expect("ready");
        running.signal(signal);
        running.end().by_signal(signal);
    }
}

/// An error of a user's crate.
#[derive(Debug)]
struct Failed(Box<dyn Error + Send + Sync>);

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it failed")
    }
}

impl Error for Failed {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.0)
    }
}

/// Ends with its error as each of these.
const WRAPPED: [&str; 10] = [
    "as it is",
    "io",
    "box",
    "box to send",
    "source",
    "source in io in box",
    "anyhow",
    "anyhow with context",
    "anyhow of io",
    "child of a sum",
];

fn end_with(token: SignalToken, how: &str) -> Box<dyn fmt::Debug> {
    let signalled = |token: &SignalToken| {
        raise(SIGINT);
        token.wait()
    };
    match how {
        "as it is" => {
            Box::new(token.run(|token| -> Result<(), CancellationError> { Err(signalled(token)) }))
        }
        "io" => Box::new(token.run(|token| -> io::Result<()> { Err(signalled(token).into()) })),
        "box" => Box::new(
            token.run(|token| -> Result<(), Box<dyn Error>> { Err(signalled(token).into()) }),
        ),
        "box to send" => Box::new(
            token.run(|token| -> Result<(), Box<dyn Error + Send + Sync>> {
                Err(signalled(token).into())
            }),
        ),
        "source" => Box::new(
            token.run(|token| -> Result<(), Failed> { Err(Failed(signalled(token).into())) }),
        ),
        "source in io in box" => Box::new(token.run(|token| -> Result<(), Box<dyn Error>> {
            Err(io::Error::other(Failed(io::Error::from(signalled(token)).into())).into())
        })),
        "anyhow" => {
            Box::new(token.run(|token| -> anyhow::Result<()> { Err(signalled(token).into()) }))
        }
        "anyhow with context" => Box::new(token.run(|token| -> anyhow::Result<()> {
            Err(signalled(token)).context("inner").context("outer")
        })),
        "anyhow of io" => Box::new(token.run(|token| -> anyhow::Result<()> {
            let result: io::Result<()> = Err(signalled(token).into());
            result.context("reading")
        })),
        "child of a sum" => Box::new(token.run(|token| -> Result<(), CancellationError> {
            let sum = TimeoutToken::new(Duration::from_secs(3600)) + token;
            let child = sum.child();
            raise(SIGINT);
            Err(child.wait())
        })),
        how => unreachable!("{how}"),
    }
}

#[test]
fn whatever_wraps_the_signal_ends_the_program() {
    let program = Program::of(
        "first_signal::whatever_wraps_the_signal_ends_the_program",
        |how| {
            let result = end_with(SignalToken::interrupt().unwrap(), how);
            unreachable!("{how}: {result:?}");
        },
    );
    for how in WRAPPED {
        program.start(how).end().by_signal(SIGINT);
    }
}

#[test]
fn the_signal_of_any_token_ends_the_program() {
    let program = Program::of(
        "first_signal::the_signal_of_any_token_ends_the_program",
        |_| {
            let other = SignalToken::builder().signals([SIGTERM]).build().unwrap();
            let token = SignalToken::interrupt().unwrap();
            let result = token.run(|token| -> Result<(), CancellationError> {
                raise(SIGTERM);
                let error = other.wait();
                assert!(!token.is_cancelled());
                Err(error)
            });
            unreachable!("{result:?}");
        },
    );
    program.start("").end().by_signal(SIGTERM);
}

#[test]
fn every_other_result_is_returned() {
    let program = Program::of("first_signal::every_other_result_is_returned", |_| {
        let token = || SignalToken::termination().unwrap();

        let result = token().run(|_| -> io::Result<u32> { Ok(7) });
        assert_eq!(result.unwrap(), 7);

        // In time although it was told to stop.
        let result = token().run(|token| -> anyhow::Result<u32> {
            raise(SIGINT);
            token.wait();
            Ok(8)
        });
        assert_eq!(result.unwrap(), 8);

        // The clean-up itself has failed.
        let result = token().run(|token| -> io::Result<u32> {
            raise(SIGINT);
            token.wait();
            Err(io::ErrorKind::StorageFull.into())
        });
        assert_eq!(result.unwrap_err().kind(), io::ErrorKind::StorageFull);

        let stop = SimpleToken::new();
        let result = token().run(|token| -> Result<(), CancellationError> {
            let sum = token + &stop;
            stop.cancel_with("enough");
            sum.check()
        });
        assert!(result.unwrap_err().is_from(&stop));

        let result = token().run(|token| -> Result<(), CancellationError> {
            token.cancel();
            token.check()
        });
        assert_eq!(result.unwrap_err().cause(), &Cause::Cancelled);

        let result = token().run(|_| -> Result<(), Box<dyn Error>> { Err("none of them".into()) });
        assert_eq!(result.unwrap_err().to_string(), "none of them");

        let result = token().run(|token| -> anyhow::Result<()> {
            let sum = token + TimeoutToken::new(Duration::ZERO);
            Err(sum.wait()).context("too late")
        });
        let error = result.unwrap_err();
        assert_eq!(error.to_string(), "too late");
        assert!(error.downcast_ref::<CancellationError>().is_some());
        process::exit(3);
    });
    program.start("").end().with_code(3);
}
