//! Knowing that a call waits, without sleeping until it probably does.

use cantok_core::{ConditionToken, Token};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

/// A condition that is never satisfied and tells whenever it is asked: by the check of a call, and then, once the call
/// waits and has subscribed, every millisecond.
pub(crate) struct Probe {
    asked: Receiver<()>,
}

impl Probe {
    /// `token` with a probe.
    pub(crate) fn of(token: &Token) -> (Token, Self) {
        let (asks, asked) = mpsc::channel();
        let probe = ConditionToken::new(move || {
            // Nobody may be listening any more.
            let _ = asks.send(());
            false
        });
        let probe = probe.poll_interval(Duration::from_millis(1));
        (token + probe, Probe { asked })
    }

    /// Returns when `calls` calls have made their checks and at least one of them waits.
    pub(crate) fn await_calls(&self, calls: usize) {
        for _ in 0..=calls {
            self.asked.recv().expect("the token lives");
        }
    }
}
