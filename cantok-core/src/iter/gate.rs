use crate::{CancellationError, Token};
use std::fmt;

/// The checks of an iterator: one for each item, or for several.
pub(super) struct Gate {
    token: Token,
    every: usize,
    /// How many items may pass before the next check.
    left: u64,
}

impl Gate {
    pub(super) fn new(token: Token) -> Self {
        Gate {
            token,
            every: 1,
            left: 0,
        }
    }

    #[track_caller]
    pub(super) fn set_every(&mut self, items: usize) {
        assert!(items > 0, "a check for every 0 items");
        self.every = items;
    }

    /// Lets the next item pass, or returns why not. `lower` is how many items are sure to come.
    #[inline]
    pub(super) fn check(&mut self, lower: usize) -> Result<(), CancellationError> {
        if self.every == 1 && self.left == 0 {
            return self.token.check();
        }
        if self.left == 0 {
            self.check_many(lower)?;
        }
        self.left -= 1;
        Ok(())
    }

    #[cold]
    fn check_many(&mut self, lower: usize) -> Result<(), CancellationError> {
        // Units that this iterator holds and does not need could make another user's check fail.
        let items = if self.token.node().has_counters() {
            self.every.min(lower.max(1))
        } else {
            self.every
        };
        match self.token.node().check_many(items as u64) {
            0 => Err(self.token.latched()),
            items => {
                self.left = items;
                Ok(())
            }
        }
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        if self.left > 0 && self.token.node().has_counters() {
            self.token.node().give_back(self.left);
        }
    }
}

/// The clone takes units of its own.
impl Clone for Gate {
    fn clone(&self) -> Self {
        Gate {
            token: self.token.clone(),
            every: self.every,
            left: 0,
        }
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate")
            .field("token", &self.token)
            .field("every", &self.every)
            .finish_non_exhaustive()
    }
}
