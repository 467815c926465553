//! Entries by the instant at which they are due: a hierarchical timing wheel (Varghese and Lauck, "Hashed and
//! hierarchical timing wheels", 1987). Insertion and removal cost the same from one entry to millions.
//!
//! Time is in nanoseconds since a fixed instant. Each level has 64 slots. A slot of level 0 spans one tick, a slot of
//! any other level spans all of the level below.
//!
//! # Invariants
//!
//! 1. An entry is in the level of the highest digit, to base 64, in which its tick differs from `now`, and there in the
//!    slot of its own digit. (An entry from before `now` counts as one of `now`.)
//! 2. So all entries of a level are due before those of the levels above, and in the order of their slots.
//! 3. `now` never passes an entry.

use crate::clock::NEVER;
use crate::slab::Slab;

/// A tick is 2^16 ns, 66 µs.
const TICK: u32 = 16;
/// Six bits for each level, so there are at most eight levels: 48 bits above a tick.
const SLOTS: u32 = 64;

const NONE: u32 = u32::MAX;

pub(crate) struct Wheel<T> {
    now: u64,
    /// The levels that were needed so far.
    levels: Vec<Level>,
    entries: Slab<Entry<T>>,
    /// The generation of the latest entry.
    generation: u32,
}

/// Identifies an entry, even after another one has taken over its slot of the slab.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) slot: u32,
    /// Below 2^27. It wraps, but no key of a removed entry lives that long.
    pub(crate) generation: u32,
}

#[derive(Clone, Copy)]
struct Level {
    /// One bit for each slot that has entries.
    occupied: u64,
    /// The first entry of each slot that has any.
    heads: [u32; SLOTS as usize],
}

/// A member of its slot's doubly linked list.
struct Entry<T> {
    at: u64,
    value: T,
    generation: u32,
    place: Place,
    previous: u32,
    next: u32,
}

#[derive(Clone, Copy)]
struct Place {
    level: u8,
    slot: u8,
}

impl<T> Wheel<T> {
    pub(crate) const fn new() -> Self {
        Wheel {
            now: 0,
            levels: Vec::new(),
            entries: Slab::new(),
            generation: 0,
        }
    }

    pub(crate) fn insert(&mut self, at: u64, value: T) -> Key {
        self.generation = (self.generation + 1) % (1 << 27);
        let generation = self.generation;
        let slot = self.entries.insert(Entry {
            at,
            value,
            generation,
            place: Place { level: 0, slot: 0 },
            previous: NONE,
            next: NONE,
        });
        self.link(slot, at);
        Key { slot, generation }
    }

    /// `None` if the entry was already taken out.
    pub(crate) fn remove(&mut self, key: Key) -> Option<T> {
        let is_match = |entry: &Entry<T>| entry.generation == key.generation;
        let Entry {
            value,
            place,
            previous,
            next,
            ..
        } = self.entries.remove_one_if(key.slot, is_match)?;
        if let Some(next) = self.entries.get_mut(next) {
            next.previous = previous;
        }
        match self.entries.get_mut(previous) {
            Some(previous) => previous.next = next,
            None => {
                let level = &mut self.levels[place.level as usize];
                level.heads[place.slot as usize] = next;
                if next == NONE {
                    level.occupied &= !(1 << place.slot);
                }
            }
        }
        Some(value)
    }

    /// Takes out what is due at `now`, `limit` entries or a few more at a time. Returns when to call again: `NEVER` if
    /// nothing is left.
    pub(crate) fn take_due(&mut self, now: u64, limit: usize, due: &mut Vec<T>) -> u64 {
        while let Some((place, start)) = self.first() {
            if start > now {
                self.now = self.now.max(now);
                return match place.level {
                    0 => self.earliest(place),
                    _ => start,
                };
            }
            if due.len() >= limit {
                return now;
            }
            // Invariant 3: the slot is the first one.
            self.now = self.now.max(start);
            let earliest = self.empty(place, now, due);
            if place.level == 0 && earliest < NEVER {
                // What is left is due later in the current tick.
                self.now = self.now.max(now);
                return earliest;
            }
        }
        self.now = self.now.max(now);
        NEVER
    }

    /// Returns the earliest instant in a slot.
    fn earliest(&self, place: Place) -> u64 {
        let mut key = self.levels[place.level as usize].heads[place.slot as usize];
        let mut earliest = NEVER;
        while let Some(entry) = self.entries.get(key) {
            earliest = earliest.min(entry.at);
            key = entry.next;
        }
        earliest
    }

    /// Takes out the due entries of a slot and links the others again. Returns the earliest instant of those.
    fn empty(&mut self, place: Place, now: u64, due: &mut Vec<T>) -> u64 {
        let level = &mut self.levels[place.level as usize];
        level.occupied &= !(1 << place.slot);
        let mut key = level.heads[place.slot as usize];
        let mut earliest = NEVER;
        while let Some(entry) = self.entries.get(key) {
            let (at, next) = (entry.at, entry.next);
            if at <= now {
                due.extend(self.entries.remove(key).map(|entry| entry.value));
            } else {
                earliest = earliest.min(at);
                self.link(key, at);
            }
            key = next;
        }
        earliest
    }

    /// Links an entry into its slot (invariant 1).
    fn link(&mut self, key: u32, at: u64) {
        let at = at.max(self.now);
        let differing = (at ^ self.now) >> TICK;
        let level = differing
            .checked_ilog2()
            .map_or(0, |bit| bit / SLOTS.ilog2());
        let slot = (at >> shift(level)) % u64::from(SLOTS);
        while self.levels.len() <= level as usize {
            self.levels.push(Level {
                occupied: 0,
                heads: [0; SLOTS as usize],
            });
        }
        let list = &mut self.levels[level as usize];
        let next = if list.occupied & (1 << slot) != 0 {
            list.heads[slot as usize]
        } else {
            NONE
        };
        list.occupied |= 1 << slot;
        list.heads[slot as usize] = key;
        if let Some(next) = self.entries.get_mut(next) {
            next.previous = key;
        }
        if let Some(entry) = self.entries.get_mut(key) {
            entry.place = Place {
                level: level as u8,
                slot: slot as u8,
            };
            entry.previous = NONE;
            entry.next = next;
        }
    }

    /// Returns the first slot with entries (invariant 2), and when it begins.
    fn first(&self) -> Option<(Place, u64)> {
        let level = self.levels.iter().position(|level| level.occupied != 0)?;
        let slot = self.levels[level].occupied.trailing_zeros();
        let shift = shift(level as u32);
        // The digits above are those of `now`.
        let above = self.now.checked_shr(shift + SLOTS.ilog2()).unwrap_or(0);
        let above = above.checked_shl(shift + SLOTS.ilog2()).unwrap_or(0);
        let place = Place {
            level: level as u8,
            slot: slot as u8,
        };
        Some((place, above | u64::from(slot) << shift))
    }
}

/// How many bits are below a level's digit.
fn shift(level: u32) -> u32 {
    TICK + level * SLOTS.ilog2()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    #[derive(Clone, Debug)]
    enum Op {
        /// An instant after `now`.
        Insert(u64),
        Remove(prop::sample::Index),
        Advance(u64),
    }

    /// Spans of any number of digits.
    fn span() -> impl Strategy<Value = u64> {
        (0_u32..63, any::<u64>()).prop_map(|(bits, random)| random & ((1 << bits) - 1))
    }

    fn op() -> impl Strategy<Value = Op> {
        prop_oneof![
            4 => span().prop_map(Op::Insert),
            2 => any::<prop::sample::Index>().prop_map(Op::Remove),
            3 => span().prop_map(Op::Advance),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

        /// Takes out exactly what is due, and the returned instant is never too late.
        #[test]
        fn it_does_what_a_sorted_list_does(ops in prop::collection::vec(op(), 1..200), limit in 1_usize..8) {
            let mut wheel = Wheel::new();
            let mut sorted = BTreeMap::new();
            let mut gone = Vec::new();
            let mut now = 0_u64;
            for (number, op) in ops.into_iter().enumerate() {
                match op {
                    Op::Insert(after) => {
                        let at = now.saturating_add(after).saturating_sub(1);
                        sorted.insert((at, number), wheel.insert(at, number));
                    }
                    Op::Remove(index) if !sorted.is_empty() => {
                        let (&entry, &key) = sorted.iter().nth(index.index(sorted.len())).unwrap();
                        prop_assert_eq!(wheel.remove(key), Some(entry.1));
                        prop_assert_eq!(wheel.remove(key), None);
                        sorted.remove(&entry);
                        gone.push(key);
                    }
                    Op::Remove(_) => {}
                    Op::Advance(by) => {
                        // Stays clear of the end of time.
                        now = now.saturating_add(by).min(u64::MAX / 2);
                        let mut due = Vec::new();
                        let next = loop {
                            let before = due.len();
                            let next = wheel.take_due(now, before + limit, &mut due);
                            if next > now {
                                break next;
                            }
                            prop_assert!(due.len() > before, "nothing taken, and nothing to wait for");
                        };
                        due.sort_unstable();
                        let later = sorted.split_off(&(now.saturating_add(1), 0));
                        gone.extend(sorted.values().copied());
                        let mut expected: Vec<_> = sorted.keys().map(|key| key.1).collect();
                        expected.sort_unstable();
                        prop_assert_eq!(due, expected);
                        sorted = later;
                        let first = sorted.keys().next().map_or(u64::MAX, |key| key.0);
                        prop_assert!(next <= first, "asked for at {}, due at {}", next, first);
                        prop_assert!(now < next);
                    }
                }
            }
            // A removed entry's key does not remove the entry that now has its slot.
            for key in gone {
                prop_assert_eq!(wheel.remove(key), None);
            }
            prop_assert_eq!(wheel.entries.len(), sorted.len());
        }
    }
}
