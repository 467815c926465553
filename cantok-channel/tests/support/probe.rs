//! Knowing that calls wait, without sleeping until they probably do.

use cantok_core::{ConditionToken, Token};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

/// A condition that is never satisfied and reports each call: by the check of a call, and, once a call waits and has
/// registered, every millisecond by the background thread of the core.
pub(crate) struct Probe {
    token: Token,
    asked: Receiver<By>,
}

#[derive(Clone, Copy, PartialEq)]
enum By {
    Check,
    Poll,
}

impl Probe {
    /// `token` with a probe.
    pub(crate) fn of(token: &Token) -> (Token, Self) {
        let (asks, asked) = mpsc::channel();
        let probe = ConditionToken::new(move || {
            let by = match thread::current().name() {
                Some("cantok-background") => By::Poll,
                _ => By::Check,
            };
            // The receiver may be gone.
            let _ = asks.send(by);
            false
        });
        let token = token + probe.poll_interval(Duration::from_millis(1));
        (token.clone(), Probe { token, asked })
    }

    /// Returns when that many calls have made their checks and at least one of them waits, or the token is cancelled.
    pub(crate) fn await_calls(&self, calls: usize) {
        for _ in 0..calls {
            self.await_ask(By::Check);
        }
        self.await_ask(By::Poll);
    }

    fn await_ask(&self, by: By) {
        while self.token.cancellation().is_none() {
            if self.asked.recv_timeout(Duration::from_millis(1)) == Ok(by) {
                return;
            }
        }
    }
}
