//! A set of addresses that allocates nothing as long as it is small, as it almost always is.

use crate::sync::Arc;
use std::collections::HashMap;

/// Up to this many are compared one by one.
const FEW: usize = 24;

pub(super) struct Addresses {
    few: [usize; FEW],
    len: usize,
    /// The keys. A map of the type that sums have, so that no code is made for a set.
    many: Option<HashMap<usize, usize>>,
}

pub(super) fn address<T>(of: &Arc<T>) -> usize {
    Arc::as_ptr(of).addr()
}

impl Default for Addresses {
    fn default() -> Self {
        Addresses {
            few: [0; FEW],
            len: 0,
            many: None,
        }
    }
}

impl Addresses {
    /// Inserts the address. Returns whether it was new.
    pub(super) fn insert(&mut self, address: usize) -> bool {
        if self.few[..self.len].contains(&address) {
            return false;
        }
        if self.len < FEW {
            self.few[self.len] = address;
            self.len += 1;
            return true;
        }
        let many = self.many.get_or_insert_default();
        many.insert(address, 0).is_none()
    }
}
