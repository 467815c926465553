use super::MovingDeadline;
use crate::clock;
use std::time::Duration;

/// A deadline that every touch moves.
pub(crate) struct Idle {
    pub(crate) after: Duration,
    pub(crate) deadline: MovingDeadline,
}

impl Idle {
    pub(crate) fn new(after: Duration) -> Self {
        Idle {
            after,
            deadline: MovingDeadline::new(clock::now().checked_add(after)),
        }
    }

    #[inline]
    pub(crate) fn touch(&self) {
        self.deadline.touch(clock::now(), self.after);
    }
}
