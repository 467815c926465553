//! When a run is cancelled.

use cantok_core::{CounterToken, SimpleToken, Token};

/// When a run is cancelled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Stop {
    Never,
    Before,
    /// By a counter, after exactly that many items.
    After(usize),
    /// By a call, when this item has passed.
    At(usize),
}

/// For how many items there may be one check: for each by itself without a number, and for more than there ever are.
#[allow(dead_code, reason = "not for all that stop")]
pub(crate) const EVERY: [Option<usize>; 5] = [None, Some(1), Some(7), Some(1024), Some(usize::MAX)];

/// Every way to be stopped for `len` items.
pub(crate) fn stops(len: usize) -> [Stop; 7] {
    [
        Stop::Never,
        Stop::Before,
        Stop::After(1),
        Stop::After(len / 2),
        // As many as there are, so none is refused.
        Stop::After(len),
        Stop::At(len / 3),
        Stop::At(len - 1),
    ]
}

impl Stop {
    pub(crate) fn token(self) -> Token {
        match self {
            Stop::After(units) => CounterToken::new(units as u64).into(),
            Stop::Never | Stop::At(_) => SimpleToken::new().into(),
            Stop::Before => {
                let token = SimpleToken::new();
                token.cancel();
                token.into()
            }
        }
    }

    /// To be called for every item that has passed.
    pub(crate) fn passed(self, item: usize, token: &Token) {
        if self == Stop::At(item) {
            token.cancel();
        }
    }

    /// Whether that many of `len` items can have passed, if whatever consumes them wants them all.
    pub(crate) fn allows(self, passed: usize, len: usize) -> bool {
        match self {
            Stop::Never => passed == len,
            Stop::Before => passed == 0,
            Stop::After(units) => passed == units.min(len),
            Stop::At(_) => (1..=len).contains(&passed),
        }
    }
}
