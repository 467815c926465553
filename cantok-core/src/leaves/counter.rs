use crate::sync::{AtomicBool, AtomicU64, Ordering};
use std::fmt;

/// A number of checks, in units that checks spend.
pub(crate) struct Counter {
    pub(crate) limit: u64,
    direct_only: AtomicBool,
    /// Whether a check was refused, which cancels (invariant 9).
    has_refused: AtomicBool,
    /// How many units are held or spent, plus those that refused checks have added.
    spent: AtomicU64,
}

/// The most units that are taken at a time, so that no number of threads counts to 2^64.
const MOST: u64 = 1 << 32;

impl Counter {
    pub(crate) fn new(limit: u64) -> Self {
        Counter {
            limit,
            direct_only: AtomicBool::new(false),
            has_refused: AtomicBool::new(false),
            spent: AtomicU64::new(0),
        }
    }

    /// Whether only checks of the counter's own token spend it.
    pub(crate) fn is_direct_only(&self) -> bool {
        // Relaxed: set while the token has one handle; another thread gets the value with the token.
        self.direct_only.load(Ordering::Relaxed)
    }

    pub(crate) fn set_direct_only(&self) {
        // Relaxed: see `is_direct_only`.
        self.direct_only.store(true, Ordering::Relaxed);
    }

    /// Takes a unit, if there is one. Exactly `limit` units are taken, on any number of threads, except for those that
    /// are given back.
    pub(crate) fn spend(&self) -> bool {
        self.try_spend() || self.refuse()
    }

    /// [`Counter::spend`], for a caller that handles the refusal.
    #[inline]
    pub(crate) fn try_spend(&self) -> bool {
        // Counts past the limit, so that one read-modify-write always suffices. With a second thread that took less
        // than half the time of a compare-exchange loop (`check/polled/counter/two threads` in benches/check.rs). A
        // refused check cancels, so refusals are few, and the count never reaches 2^64. Relaxed: any ordering hands out
        // each unit once, and units publish nothing.
        self.spent.fetch_add(1, Ordering::Relaxed) < self.limit
    }

    /// Takes up to `wanted` units, at least one. Returns 0 if none is left, which refuses a check as [`Counter::spend`]
    /// does.
    pub(crate) fn take(&self, wanted: u64) -> u64 {
        let wanted = wanted.min(MOST);
        // Relaxed: see `try_spend`.
        let spent = self.spent.fetch_add(wanted, Ordering::Relaxed);
        let units = wanted.min(self.limit.saturating_sub(spent));
        if units < wanted {
            // Until the excess is subtracted other checks find no unit, as they do afterwards: these were the last.
            self.spent.fetch_sub(wanted - units, Ordering::Relaxed);
        }
        if units == 0 {
            self.refuse();
        }
        units
    }

    /// Gives back units that [`Counter::take`] took and that let nothing pass. Does nothing once a check was refused.
    pub(crate) fn give_back(&self, units: u64) {
        // Relaxed: a refusal that is not yet seen cancels anyway. Until it does, these units let other checks pass.
        if !self.has_refused.load(Ordering::Relaxed) {
            self.spent.fetch_sub(units, Ordering::Relaxed);
        }
    }

    /// Refuses a check that found no unit. Always returns `false`.
    #[cold]
    pub(crate) fn refuse(&self) -> bool {
        // Relaxed: see `give_back` and `remaining`.
        self.has_refused.store(true, Ordering::Relaxed);
        false
    }

    pub(crate) fn remaining(&self) -> u64 {
        // Relaxed: a snapshot.
        if self.has_refused.load(Ordering::Relaxed) {
            return 0;
        }
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
