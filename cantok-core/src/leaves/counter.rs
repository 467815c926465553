use crate::sync::{AtomicU64, AtomicUsize, Ordering};
use std::fmt;

/// A number of checks, spent by whoever checks.
pub(crate) struct Counter {
    pub(crate) limit: u64,
    /// Spent only by checks of the counter's own token.
    pub(crate) direct_only: bool,
    remaining: AtomicU64,
    /// How many waiting threads and callbacks have to be told when the last unit is spent.
    pub(crate) demand: AtomicUsize,
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
            direct_only: false,
            remaining: AtomicU64::new(limit),
            demand: AtomicUsize::new(0),
        }
    }

    /// Takes a unit, if there is one. Exactly `limit` calls succeed, whatever the number of threads.
    pub(crate) fn spend(&self) -> Spent {
        // SeqCst: this write, then the load of the demand, against the write of the demand, then the load of the
        // units, in `Demand::add` and `Node::look_for_zero`. With anything weaker both could read old values, and a
        // waiter would never hear of the last unit. On x86 it costs what a relaxed one would. The failed load needs
        // no ordering: the counter never grows again.
        let mut left = self.remaining.load(Ordering::Relaxed);
        loop {
            let Some(rest) = left.checked_sub(1) else {
                return Spent::Refused;
            };
            let swapped = self.remaining.compare_exchange_weak(
                left,
                rest,
                Ordering::SeqCst,
                Ordering::Relaxed,
            );
            match swapped {
                Ok(_) if rest == 0 && self.demand.load(Ordering::SeqCst) > 0 => {
                    return Spent::LastInDemand;
                }
                Ok(_) => return Spent::Unit,
                Err(now) => left = now,
            }
        }
    }

    pub(crate) fn remaining(&self) -> u64 {
        // SeqCst: see `spend`.
        self.remaining.load(Ordering::SeqCst)
    }
}

impl fmt::Display for Counter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.remaining(), self.limit)?;
        if self.direct_only {
            f.write_str(", direct only")?;
        }
        Ok(())
    }
}
