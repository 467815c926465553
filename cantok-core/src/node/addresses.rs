//! A map from addresses to numbers.

use crate::sync::Arc;
use std::mem::take;

/// A hash table with linear probing, which takes a tenth of the code of `std`'s: addresses are not 0 and not chosen by
/// users, and none is ever removed.
#[derive(Default)]
pub(super) struct Addresses {
    /// Addresses with their numbers; 0 in a free place. At least a quarter is free.
    places: Vec<(usize, usize)>,
    len: usize,
}

pub(super) fn address<T>(of: &Arc<T>) -> usize {
    Arc::as_ptr(of).addr()
}

impl Addresses {
    /// Inserts an address, or replaces its number. Returns whether the address is new.
    pub(super) fn insert(&mut self, address: usize, number: usize) -> bool {
        if self.places.len() / 4 * 3 <= self.len {
            self.grow();
        }
        let place = self.place(address);
        let is_new = self.places[place].0 == 0;
        self.places[place] = (address, number);
        self.len += usize::from(is_new);
        is_new
    }

    /// Returns the number of an address.
    pub(super) fn get(&self, address: usize) -> Option<usize> {
        if self.len == 0 {
            return None;
        }
        let (found, number) = self.places[self.place(address)];
        (found == address).then_some(number)
    }

    #[cold]
    fn grow(&mut self) {
        let before = take(&mut self.places);
        self.places.resize((before.len() * 2).max(8), (0, 0));
        for entry in &before {
            if entry.0 != 0 {
                let place = self.place(entry.0);
                self.places[place] = *entry;
            }
        }
    }

    /// The place of an address, or the free one that it would get.
    fn place(&self, address: usize) -> usize {
        let mask = self.places.len() - 1;
        // The golden ratio spreads addresses, whose lowest bits are equal. The upper half depends on all their bits.
        let spread = (address as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mut place = (spread >> 32) as usize & mask;
        while self.places[place].0 != 0 && self.places[place].0 != address {
            place = (place + 1) & mask;
        }
        place
    }
}
