//! What a thread sleeps on in `wait`. `std::thread::park` has one permit per thread, which belongs to the user.

use crate::clock;
use crate::sync::{Condvar, Mutex, lock, wait, wait_for};
use std::time::Instant;

pub(crate) struct Parker {
    notified: Mutex<bool>,
    changed: Condvar,
}

impl Parker {
    pub(crate) fn new() -> Self {
        Parker {
            notified: Mutex::new(false),
            changed: Condvar::new(),
        }
    }

    /// Sleeps until notified, or until the instant, if there is one. May return early.
    pub(crate) fn park(&self, until: Option<Instant>) {
        let notified = lock(&self.notified);
        if *notified {
            return;
        }
        match until {
            None => drop(wait(&self.changed, notified)),
            Some(until) => {
                let limit = until.saturating_duration_since(clock::now());
                if !limit.is_zero() {
                    drop(wait_for(&self.changed, notified, limit));
                }
            }
        }
    }

    #[inline]
    pub(crate) fn unpark(&self) {
        *lock(&self.notified) = true;
        self.changed.notify_one();
    }
}
