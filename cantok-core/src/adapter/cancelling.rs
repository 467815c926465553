use crate::node::Jobs;
use std::{fmt, mem};

/// A cancelled token whose tasks have yet to be woken and whose callbacks have yet to run: by
/// [`finish`](Cancelling::finish), or when this is dropped. Made by
/// [`begin_cancel`](super::TokenAdapterExt::begin_cancel), which has an example.
///
/// # Panics
///
/// The drop runs the token's callbacks and resumes their first panic, unless the thread is unwinding already.
#[must_use = "dropping it wakes tasks and runs callbacks at once"]
pub struct Cancelling {
    won: bool,
    jobs: Jobs,
}

impl Cancelling {
    pub(crate) fn new(won: bool, jobs: Jobs) -> Self {
        Cancelling { won, jobs }
    }

    /// Wakes tasks and runs callbacks, on this thread. Returns whether it was this cancel that cancelled the token, as
    /// [`Token::cancel`](crate::Token::cancel) does.
    ///
    /// # Panics
    ///
    /// Resumes the first panic of a callback or waker, after all of them have run.
    pub fn finish(self) -> bool {
        // The drop does the rest.
        self.won
    }
}

impl Drop for Cancelling {
    fn drop(&mut self) {
        mem::take(&mut self.jobs).run();
    }
}

impl fmt::Debug for Cancelling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cancelling")
            .field("won", &self.won)
            .finish_non_exhaustive()
    }
}
