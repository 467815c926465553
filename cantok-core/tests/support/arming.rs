//! The ways in which a token comes to be armed, so that its sources push to it.

use std::task::Waker;
use std::thread;
use std::time::Instant;

use cantok_core::Token;
use cantok_core::adapter::{TokenAdapterExt as _, WakerRegistration};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Arming {
    /// It polls its sources.
    No,
    /// By 100 peeks, which arm like checks and spend nothing.
    ByPeeks,
    /// By a waker, which is registered as long as the result is there.
    ByWaker,
}

impl Arming {
    pub(crate) const ALL: [Arming; 3] = [Arming::No, Arming::ByPeeks, Arming::ByWaker];

    pub(crate) fn arm(self, token: &Token) -> Option<WakerRegistration> {
        match self {
            Arming::No => None,
            Arming::ByPeeks => {
                for _ in 0..100 {
                    token.peek_cancelled();
                }
                None
            }
            Arming::ByWaker => Some(token.register_owned(Waker::noop())),
        }
    }
}

/// Returns when the clock has passed that instant, without touching a token.
pub(crate) fn let_pass(at: Instant) {
    while Instant::now() <= at {
        thread::yield_now();
    }
}
