use crate::Token;
use std::fmt;

/// How many items one check lets pass. [`TokenAdapterExt::check_many`](super::TokenAdapterExt::check_many) makes it.
///
/// Dropping it, even by a panic, gives the units of items that did not [pass](Allowance::pass) back to the counters.
/// Until then those units count as spent.
pub struct Allowance<'t> {
    token: &'t Token,
    left: u64,
    is_counted: bool,
}

impl<'t> Allowance<'t> {
    pub(super) fn new(token: &'t Token, units: u64) -> Self {
        Allowance {
            token,
            left: units,
            is_counted: token.node().has_counters(),
        }
    }

    /// Returns how many more items may pass.
    pub fn left(&self) -> u64 {
        self.left
    }

    /// Records that `items` items pass, or all that are left if there are fewer.
    #[inline]
    pub fn pass(&mut self, items: u64) {
        self.left = self.left.saturating_sub(items);
    }
}

impl Drop for Allowance<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.is_counted && self.left > 0 {
            self.token.node().give_back(self.left);
        }
    }
}

impl fmt::Debug for Allowance<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Allowance")
            .field("token", self.token)
            .field("left", &self.left)
            .finish()
    }
}
