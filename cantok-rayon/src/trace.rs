//! The events of the feature `tracing`. Compiled only with it.

use cantok_core::Token;
use cantok_core::adapter::stopped_early;
use std::sync::atomic::{AtomicBool, Ordering};

/// Emits one event on drop if anything was left out until then.
pub(crate) struct Report {
    job: &'static str,
    token: Token,
    is_recorded: AtomicBool,
}

impl Report {
    pub(crate) fn new(job: &'static str, token: Token) -> Self {
        Report {
            job,
            token,
            is_recorded: AtomicBool::new(false),
        }
    }

    pub(crate) fn record(&self) {
        // Relaxed: rayon joins all parts of a job before the report is dropped. The load spares repeated writes: all
        // threads call this for each item that they leave out.
        if !self.is_recorded.load(Ordering::Relaxed) {
            self.is_recorded.store(true, Ordering::Relaxed);
        }
    }
}

impl Drop for Report {
    fn drop(&mut self) {
        if *self.is_recorded.get_mut() {
            stopped_early(self.job, self.token.cancellation().as_ref());
        }
    }
}
