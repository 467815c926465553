//! A map from addresses to numbers. Not the standard library's, whose hashing with random keys would be a good part of
//! a small program.

use crate::sync::Arc;

/// Grows, and forgets nothing.
#[derive(Default)]
pub(super) struct Addresses {
    /// A power of two, at most half of them taken. An address is in the first slot that was free from its own one on.
    slots: Vec<Slot>,
    taken: usize,
}

#[derive(Clone, Copy)]
struct Slot {
    /// 0 if the slot is free.
    address: usize,
    number: usize,
}

const FREE: Slot = Slot {
    address: 0,
    number: 0,
};

/// The least number of slots.
const FEW: usize = 16;

pub(super) fn address<T>(of: &Arc<T>) -> usize {
    Arc::as_ptr(of).addr()
}

impl Addresses {
    /// Inserts an address, or replaces its number. Returns whether the address is new.
    pub(super) fn insert(&mut self, address: usize, number: usize) -> bool {
        if self.taken * 2 >= self.slots.len() {
            self.grow();
        }
        let place = self.place(address);
        let is_new = self.slots[place].address == 0;
        self.slots[place] = Slot { address, number };
        self.taken += usize::from(is_new);
        is_new
    }

    /// Returns the number of an address.
    pub(super) fn get(&self, address: usize) -> Option<usize> {
        if self.taken == 0 {
            return None;
        }
        let slot = self.slots[self.place(address)];
        (slot.address == address).then_some(slot.number)
    }

    #[cold]
    fn grow(&mut self) {
        let more = vec![FREE; (self.slots.len() * 4).max(FEW)];
        for slot in std::mem::replace(&mut self.slots, more) {
            if slot.address != 0 {
                let place = self.place(slot.address);
                self.slots[place] = slot;
            }
        }
    }

    /// Returns the slot of an address, or the free one that it would get.
    fn place(&self, address: usize) -> usize {
        // The golden ratio spreads addresses, whose lowest bits are equal, over the higher bits of the product.
        let spread = (address as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mask = self.slots.len() - 1;
        let mut place = (spread >> 32) as usize & mask;
        while self.slots[place].address != address && self.slots[place].address != 0 {
            place = (place + 1) & mask;
        }
        place
    }
}

#[cfg(all(test, not(cantok_loom)))]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn it_does_what_a_map_does(
            // Near each other, as in an array of nodes, or anywhere.
            inserted in prop::collection::vec(prop_oneof![(1_usize..500).prop_map(|at| at * 208), 1..usize::MAX], 0..700),
            absent in 1..usize::MAX,
        ) {
            let mut addresses = Addresses::default();
            let mut map = HashMap::new();
            for (number, address) in inserted.into_iter().enumerate() {
                prop_assert_eq!(addresses.get(address), map.get(&address).copied());
                prop_assert_eq!(addresses.insert(address, number), map.insert(address, number).is_none());
            }
            for (address, number) in &map {
                prop_assert_eq!(addresses.get(*address), Some(*number));
            }
            prop_assert_eq!(addresses.get(absent), map.get(&absent).copied());
        }
    }
}
