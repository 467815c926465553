//! A map from addresses to numbers. The standard one would be a twentieth of what this crate takes to compile.

use crate::sync::Arc;

/// A hash table with linear probing. No user chooses addresses, so they need no random keys.
#[derive(Default)]
pub(super) struct Addresses {
    /// A power of two of them, or none. At least half are empty, which have the address 0.
    slots: Vec<(usize, usize)>,
    len: usize,
}

pub(super) fn address<T>(of: &Arc<T>) -> usize {
    Arc::as_ptr(of).addr()
}

impl Addresses {
    /// Inserts an address, or replaces its number. Returns whether the address is new.
    #[inline(never)]
    pub(super) fn insert(&mut self, address: usize, number: usize) -> bool {
        if self.slots.len() <= 2 * self.len {
            self.grow();
        }
        let place = self.place(address);
        let is_new = self.slots[place].0 == 0;
        self.len += usize::from(is_new);
        self.slots[place] = (address, number);
        is_new
    }

    /// Returns the number of an address.
    pub(super) fn get(&self, address: usize) -> Option<usize> {
        if self.len == 0 {
            return None;
        }
        let (found, number) = self.slots[self.place(address)];
        (found == address).then_some(number)
    }

    /// Returns the slot of an address, or an empty one for it. Requires that there are slots.
    fn place(&self, address: usize) -> usize {
        // The golden ratio spreads addresses, whose lowest bits are equal, over the highest bits.
        let spread = (address as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let last = self.slots.len() - 1;
        let mut place = (spread >> (last as u64).leading_zeros()) as usize;
        while self.slots[place].0 != address && self.slots[place].0 != 0 {
            place = (place + 1) & last;
        }
        place
    }

    fn grow(&mut self) {
        let slots = vec![(0, 0); (2 * self.slots.len()).max(8)];
        let before = std::mem::replace(&mut self.slots, slots);
        for slot in &before {
            if slot.0 != 0 {
                let place = self.place(slot.0);
                self.slots[place] = *slot;
            }
        }
    }
}
