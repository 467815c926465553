use crate::Reason;
use crate::sync::{AtomicBool, AtomicU64, Ordering};
use std::fmt;
use std::sync::OnceLock;

/// A number of checks, in units that checks spend.
pub(crate) struct Counter {
    pub(crate) limit: u64,
    direct_only: AtomicBool,
    /// How many checks have asked for a unit.
    spent: AtomicU64,
    /// Set before the token is shared.
    pub(crate) because: OnceLock<Reason>,
}

impl Counter {
    pub(crate) fn new(limit: u64) -> Self {
        Counter {
            limit,
            direct_only: AtomicBool::new(false),
            spent: AtomicU64::new(0),
            because: OnceLock::new(),
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
