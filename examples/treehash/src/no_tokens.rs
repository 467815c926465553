//! The same names as in `tokens.rs`, without effect. The benchmark compares a build with these to one with tokens, and
//! so shows what the tokens cost.

use crate::console::Console;
use crate::counts::Counts;
use crossbeam_channel::{Receiver, SendError, Sender};
use std::convert::Infallible;
use std::io;
use std::process::ExitCode;
use std::sync::{Condvar, Mutex};
use std::time::Duration;

pub(crate) type CancellationError = Infallible;

#[derive(Debug, Default)]
pub(crate) struct Token;

impl Token {
    pub(crate) fn check(&self) -> Result<(), CancellationError> {
        Ok(())
    }
}

#[derive(Debug, Default)]
pub(crate) struct Stops {
    pub(crate) all: Token,
    pub(crate) search: Token,
}

impl Stops {
    pub(crate) fn output_failed(&self, error: io::Error) {
        panic!("standard output: {error}");
    }

    pub(crate) fn end(&self, _: bool, counts: &Counts, _: &Console) -> io::Result<ExitCode> {
        Ok(ExitCode::from(u8::from(counts.errors() > 0)))
    }
}

/// The end of the run.
#[derive(Debug, Default)]
pub(crate) struct SimpleToken {
    is_cancelled: Mutex<bool>,
    cancelled: Condvar,
}

pub(crate) struct DropGuard<'a>(&'a SimpleToken);

impl SimpleToken {
    pub(crate) fn new() -> Self {
        SimpleToken::default()
    }

    pub(crate) fn named(self, _: &str) -> Self {
        self
    }

    pub(crate) fn drop_guard(&self) -> DropGuard<'_> {
        DropGuard(self)
    }

    pub(crate) fn wait_timeout(&self, timeout: Duration) -> Option<()> {
        let is_cancelled = self.is_cancelled.lock().expect("no panic under the lock");
        let wait = |is_cancelled: &mut bool| !*is_cancelled;
        let (is_cancelled, _) = self
            .cancelled
            .wait_timeout_while(is_cancelled, timeout, wait)
            .expect("no panic under the lock");
        is_cancelled.then_some(())
    }
}

impl Drop for DropGuard<'_> {
    fn drop(&mut self) {
        *self.0.is_cancelled.lock().expect("no panic under the lock") = true;
        self.0.cancelled.notify_all();
    }
}

/// For sequential and parallel iterators.
pub(crate) trait WithToken: Sized {
    fn with_token(self, _: &Token) -> Self {
        self
    }
}

impl<I> WithToken for I {}

pub(crate) trait ReceiverExt: Sized {
    fn with_token_owned(self, _: &Token) -> Self {
        self
    }
}

impl<T> ReceiverExt for Receiver<T> {}

pub(crate) trait SenderExt<T> {
    fn send_with_token(&self, message: T, _: &Token) -> Result<(), SendError<T>>;
}

impl<T> SenderExt<T> for Sender<T> {
    fn send_with_token(&self, message: T, _: &Token) -> Result<(), SendError<T>> {
        self.send(message)
    }
}
