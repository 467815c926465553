use crate::sync::{Arc, OnceLock};
use std::fmt;
use std::time::{Duration, Instant};

/// A point in time, never if it cannot be represented.
pub(crate) struct Deadline {
    pub(crate) at: Option<Instant>,
    /// From the token's creation.
    pub(crate) after: Duration,
    /// See `Leaf::name`.
    pub(crate) name: OnceLock<Arc<str>>,
}

impl Deadline {
    pub(crate) fn new(at: Option<Instant>, after: Duration) -> Self {
        Deadline {
            at,
            after,
            name: OnceLock::new(),
        }
    }

    pub(crate) fn has_passed(&self, now: Instant) -> bool {
        self.at.is_some_and(|at| at <= now)
    }
}

impl fmt::Display for Deadline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at {
            Some(_) => write!(f, "{:?}", self.after),
            None => f.write_str("never"),
        }
    }
}
