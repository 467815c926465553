use super::MovingDeadline;
use crate::Reason;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// A deadline that every touch puts off.
pub(crate) struct Idle {
    pub(crate) after: Duration,
    pub(crate) deadline: MovingDeadline,
    /// Set before the token is shared.
    pub(crate) because: OnceLock<Reason>,
}

impl Idle {
    pub(crate) fn new(after: Duration) -> Self {
        Idle {
            after,
            deadline: MovingDeadline::new(Instant::now().checked_add(after)),
            because: OnceLock::new(),
        }
    }

    #[inline]
    pub(crate) fn touch(&self) {
        self.deadline.touch(Instant::now(), self.after);
    }
}
