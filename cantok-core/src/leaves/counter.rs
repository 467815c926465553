use crate::sync::{AtomicBool, AtomicU64, Ordering};
use std::fmt;

/// A number of checks, in units that checks spend.
pub(crate) struct Counter {
    pub(crate) limit: u64,
    direct_only: AtomicBool,
    /// How many units checks have asked for, one by one, or were granted, several at a time. More than the limit once a
    /// check was refused: from then on nothing is given back.
    spent: AtomicU64,
}

/// The most units that are granted at a time, so that no number of grants counts to 2^64.
const MOST: u64 = 1 << 32;

impl Counter {
    pub(crate) fn new(limit: u64) -> Self {
        Counter {
            limit,
            direct_only: AtomicBool::new(false),
            spent: AtomicU64::new(0),
        }
    }

    /// Whether only checks of its own token spend it.
    pub(crate) fn is_direct_only(&self) -> bool {
        // Relaxed: set while the token has one handle; another thread gets it with the token.
        self.direct_only.load(Ordering::Relaxed)
    }

    pub(crate) fn set_direct_only(&self) {
        // Relaxed: see `is_direct_only`.
        self.direct_only.store(true, Ordering::Relaxed);
    }

    /// Takes a unit, if there is one. Exactly `limit` calls succeed, on any number of threads.
    #[inline]
    pub(crate) fn spend(&self) -> bool {
        // Counts up and past the limit, in one read-modify-write that always succeeds. With a second thread that
        // took less than half the time of a loop of compare-exchanges (`check/polled/counter/two threads` in
        // benches/check.rs). A refused check cancels, so refusals are few, and none counts to 2^64.
        // Relaxed: the units are handed out one by one under any ordering, and publish nothing.
        self.spent.fetch_add(1, Ordering::Relaxed) < self.limit
    }

    /// Takes up to `wanted` units, at least one. 0: none is left, and this refuses a check as [`Counter::spend`] does.
    pub(crate) fn take(&self, wanted: u64) -> u64 {
        // Relaxed, here and in `give_back`: see `spend`. All changes of the count are read-modify-writes, so they have
        // one order, in which a refusal comes before or after what is given back.
        let mut spent = self.spent.load(Ordering::Relaxed);
        loop {
            let units = wanted.min(MOST).min(self.limit.saturating_sub(spent));
            let next = spent + units.max(1);
            match self
                .spent
                .compare_exchange_weak(spent, next, Ordering::Relaxed, Ordering::Relaxed)
            {
                Ok(_) => return units,
                Err(now) => spent = now,
            }
        }
    }

    /// Returns units that [`Counter::take`] granted and that let nothing pass. Without effect once a check was refused:
    /// that one has cancelled.
    pub(crate) fn give_back(&self, units: u64) {
        // Relaxed: see `take`.
        let _ = self
            .spent
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |spent| {
                (spent <= self.limit).then(|| spent - units)
            });
    }

    /// Refuses a check that found no unit left.
    pub(crate) fn refuse(&self) {
        // Relaxed: see `take`.
        self.spent
            .fetch_max(self.limit.saturating_add(1), Ordering::Relaxed);
    }

    pub(crate) fn remaining(&self) -> u64 {
        // Relaxed: a snapshot.
        self.limit
            .saturating_sub(self.spent.load(Ordering::Relaxed))
    }
}

impl fmt::Display for Counter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.remaining(), self.limit)?;
        if self.is_direct_only() {
            f.write_str(", direct only")?;
        }
        Ok(())
    }
}
