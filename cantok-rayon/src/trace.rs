//! The events of the feature `tracing`. Without it none of this is there.

use cantok_core::{CancellationError, Token};
use std::sync::atomic::{AtomicBool, Ordering};

/// A job has left something out.
pub(crate) fn stopped_early(job: &str, error: Option<&CancellationError>) {
    tracing::debug!(
        target: "cantok",
        job,
        token = error.and_then(CancellationError::name),
        cause = error.map(|error| tracing::field::debug(error.cause())),
        "stopped early"
    );
}

/// Makes the event when it is dropped, however often something was left out until then.
pub(crate) struct Report {
    job: &'static str,
    token: Token,
    is_filed: AtomicBool,
}

impl Report {
    pub(crate) fn new(job: &'static str, token: Token) -> Self {
        Report {
            job,
            token,
            is_filed: AtomicBool::new(false),
        }
    }

    pub(crate) fn file(&self) {
        // Relaxed: rayon joins all parts of a job before the report is dropped. Only once, since all threads come here
        // for everything that they leave out.
        if !self.is_filed.load(Ordering::Relaxed) {
            self.is_filed.store(true, Ordering::Relaxed);
        }
    }
}

impl Drop for Report {
    fn drop(&mut self) {
        if *self.is_filed.get_mut() {
            stopped_early(self.job, self.token.cancellation().as_ref());
        }
    }
}
