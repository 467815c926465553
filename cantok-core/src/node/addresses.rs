//! A map from addresses to numbers.

use super::Node;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::ptr;

/// No user chooses addresses, so they need no random keys, which would take as much of a small program as the map.
#[derive(Default)]
pub(super) struct Addresses(HashMap<usize, usize, BuildHasherDefault<Spread>>);

impl Node {
    pub(super) fn address(&self) -> usize {
        ptr::from_ref(self).addr()
    }
}

impl Addresses {
    /// Inserts an address, or replaces its number. Returns whether the address is new.
    pub(super) fn insert(&mut self, address: usize, number: usize) -> bool {
        self.0.insert(address, number).is_none()
    }

    /// Returns the number of an address.
    pub(super) fn get(&self, address: usize) -> Option<usize> {
        self.0.get(&address).copied()
    }
}

/// The golden ratio spreads addresses, whose lowest bits are equal, over all bits.
#[derive(Default)]
struct Spread(u64);

impl Hasher for Spread {
    fn write(&mut self, bytes: &[u8]) {
        bytes
            .iter()
            .for_each(|byte| self.write_usize(usize::from(*byte)));
    }

    fn write_usize(&mut self, number: usize) {
        let spread = (self.0 ^ number as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.0 = spread ^ spread >> 32;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
