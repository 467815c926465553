use crate::node::Jobs;
use std::{fmt, mem};

/// A cancelled token whose tasks are still asleep and whose callbacks have not run.
/// [`begin_cancel`](super::TokenAdapterExt::begin_cancel) makes it and has an example.
///
/// [`finish`](Cancelling::finish), or the drop, wakes the tasks and runs the callbacks.
///
/// # Panics
///
/// The drop resumes the first panic of a callback or waker, unless the thread is already unwinding.
#[must_use = "dropping it wakes tasks and runs callbacks at once"]
pub struct Cancelling {
    won: bool,
    jobs: Jobs,
}

impl Cancelling {
    pub(crate) fn new(won: bool, jobs: Jobs) -> Self {
        Cancelling { won, jobs }
    }

    /// Wakes tasks and runs callbacks on this thread. Returns `true` if this cancel cancelled the token, as
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
