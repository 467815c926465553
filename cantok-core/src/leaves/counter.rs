use crate::sync::{Arc, AtomicBool, AtomicU64, AtomicUsize, OnceLock, Ordering};
use std::fmt;

/// A number of checks, spent by whoever checks.
pub(crate) struct Counter {
    pub(crate) limit: u64,
    direct_only: AtomicBool,
    /// See `Leaf::name`.
    pub(crate) name: OnceLock<Arc<str>>,
    /// How many checks have asked for a unit.
    spent: AtomicU64,
    /// How many waiting threads and callbacks have to be told when the last unit is spent.
    demand: AtomicUsize,
}

/// What came of spending a unit.
pub(crate) enum Spent {
    Unit,
    /// That was the last one, and somebody waits for it to be gone.
    LastInDemand,
    /// There was none left.
    Refused,
}

impl Counter {
    pub(crate) fn new(limit: u64) -> Self {
        Counter {
            limit,
            direct_only: AtomicBool::new(false),
            name: OnceLock::new(),
            spent: AtomicU64::new(0),
            demand: AtomicUsize::new(0),
        }
    }

    /// Whether it is spent only by checks of its own token.
    pub(crate) fn is_direct_only(&self) -> bool {
        // Relaxed: set while the token has one handle; whoever else gets the token gets this with it.
        self.direct_only.load(Ordering::Relaxed)
    }

    pub(crate) fn set_direct_only(&self) {
        // Relaxed: see `is_direct_only`.
        self.direct_only.store(true, Ordering::Relaxed);
    }

    /// Takes a unit, if there is one. Exactly `limit` calls succeed, whatever the number of threads.
    #[inline]
    pub(crate) fn spend(&self) -> Spent {
        // Counts up and past the limit, in one read-modify-write that always succeeds. With a second thread that
        // took less than half the time of a loop of compare-exchanges (`check/polled/counter/two threads` in
        // benches/check.rs). Those who are refused are few, since that cancels: no one counts to 2^64.
        // Relaxed: the units are handed out one by one under any ordering, and what a check does with its unit is its
        // own business.
        let before = self.spent.fetch_add(1, Ordering::Relaxed);
        if before >= self.limit {
            Spent::Refused
        } else if before == self.limit - 1 && self.is_in_demand() {
            Spent::LastInDemand
        } else {
            Spent::Unit
        }
    }

    /// Asked after the last unit is gone.
    #[cold]
    fn is_in_demand(&self) -> bool {
        // A read-modify-write, as in `add_demand`: one of the two comes first. If that is this one, its release is
        // acquired there, and the look at the units that follows there finds zero. If not, it sees the demand.
        self.demand.fetch_add(0, Ordering::AcqRel) > 0
    }

    /// Somebody waits. Whoever calls this looks at the units afterwards.
    pub(crate) fn add_demand(&self, demand: usize) {
        // Acquire and release: see `is_in_demand`.
        self.demand.fetch_add(demand, Ordering::AcqRel);
    }

    /// Somebody waits no more.
    pub(crate) fn release_demand(&self, demand: usize) {
        // Relaxed: as a read-modify-write it keeps the release of an `add_demand` before it acquirable. Demand that
        // is seen a little too long cancels a counter's token that was waited on a moment ago.
        self.demand.fetch_sub(demand, Ordering::Relaxed);
    }

    pub(crate) fn remaining(&self) -> u64 {
        // Relaxed: for those who wait, `add_demand` has ordered it; for all others it is a snapshot.
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
