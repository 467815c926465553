//! Entries by the instant at which they are due: a hierarchical timing wheel (Varghese and Lauck, "Hashed and
//! hierarchical timing wheels", 1987). Insertion and removal cost the same from one entry to millions.
//!
//! Time is in ticks since a fixed instant, from which callers count nanoseconds. An instant is rounded up to a tick, so
//! nothing is due early. Each level divides time into slots: of one tick on level 0, of 64 slots of the level below on any
//! other. Those 64 are a block. Each level has room for two blocks: the current one, which contains `now`, and the next
//! one.
//!
//! # Invariants
//!
//! 1. An entry is in a slot that contains its tick, in the current or next block of the slot's level. (An entry from
//!    before `now` counts as one of `now`.) It is inserted into the lowest such level.
//! 2. `now` never passes an entry, and passes the start of no slot above level 0 that has any: they were moved to lower
//!    levels.
//! 3. The next slot of a level is the next block of the level below. So if a slot has many entries, they are moved there
//!    ahead of time, some at a time. If all were moved at once, what is due meanwhile would have to wait.

use crate::clock::NEVER;
use crate::slab::Slab;

/// A tick is 2^16 ns, 66 µs. So however many instants there are, few have to be waited for.
const TICK: u32 = 16;
/// The bits of a slot's number in its block. There are at most eight levels, for the 48 bits of a tick.
const BITS: u32 = 6;
/// Two blocks. The number of a slot, modulo this, is its index.
const SLOTS: u64 = 2 << BITS;

/// The lists of a slot. The entries of one list are fetched from memory one after the other, those of several lists at
/// the same time.
const LISTS: usize = 4;

/// If a slot has more entries, they are moved ahead. In the tests few are many.
const MANY: u32 = if cfg!(test) { 1 } else { 64 };

/// No entry.
const NONE: u32 = u32::MAX;

pub(crate) struct Wheel<T> {
    /// In ticks, as all times here.
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

struct Level {
    /// One bit for each slot that has entries.
    occupied: u128,
    slots: [Slot; SLOTS as usize],
}

#[derive(Clone, Copy)]
struct Slot {
    /// The first entry of each list.
    first: [u32; LISTS],
    len: u32,
}

const EMPTY: Slot = Slot {
    first: [NONE; LISTS],
    len: 0,
};

impl Slot {
    /// When to take the entries out, or to begin to move them ahead. The slot is of that level and begins at `start`.
    fn leaves_at(&self, level: u32, start: u64) -> u64 {
        if level > 0 && self.len > MANY {
            start - (1 << shift(level))
        } else {
            start
        }
    }
}

/// A member of one of its slot's doubly linked lists: that of its generation, modulo their number.
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

    /// Inserts an entry that is due at that nanosecond. Also returns when to call [`Wheel::take_due`] on account of it.
    #[inline]
    pub(crate) fn insert(&mut self, at: u64, value: T) -> (Key, u64) {
        let at = at.div_ceil(1 << TICK);
        self.generation = (self.generation + 1) % (1 << 27);
        let generation = self.generation;
        let list = generation as usize % LISTS;
        let (slot, leaves_at) = self.link(at, list, |entries, place, next| {
            entries.insert(Entry {
                at,
                value,
                generation,
                place,
                previous: NONE,
                next,
            })
        });
        (Key { slot, generation }, nanos(leaves_at))
    }

    /// `None` if the entry was already taken out.
    #[inline]
    pub(crate) fn remove(&mut self, key: Key) -> Option<T> {
        let is_match = |entry: &Entry<T>| entry.generation == key.generation;
        let entry = self.entries.remove_one_if(key.slot, is_match)?;
        self.unlink(&entry);
        Some(entry.value)
    }

    /// Takes out what is due at the nanosecond `now`, some `limit` entries at a time. Returns when to call again: `NEVER`
    /// if nothing is left. Keeps the memory, see [`Wheel::shrink`].
    pub(crate) fn take_due(&mut self, now: u64, limit: usize, due: &mut Vec<T>) -> u64 {
        let tick = now >> TICK;
        let mut left = limit;
        while let Some((place, start)) = self.first().filter(|(_, start)| *start <= tick) {
            if left == 0 {
                return now;
            }
            // Invariant 2: the slot is the first one.
            self.now = self.now.max(start);
            left = left.saturating_sub(self.empty(place, left, due));
        }
        self.now = self.now.max(tick);
        if self.move_ahead(limit, due) {
            return now;
        }
        self.next()
    }

    /// Moves some `limit` entries of each level's next slot to lower levels (invariant 3). Returns whether there are
    /// still many.
    fn move_ahead(&mut self, limit: usize, due: &mut Vec<T>) -> bool {
        let mut is_left = false;
        for level in 1..self.levels.len() {
            let slot = (((self.now >> shift(level as u32)) + 1) % SLOTS) as usize;
            if self.levels[level].slots[slot].len > MANY {
                let place = Place {
                    level: level as u8,
                    slot: slot as u8,
                };
                self.empty(place, limit, due);
            }
            is_left |= self.levels[level].slots[slot].len > MANY;
        }
        is_left
    }

    /// Takes some `limit` entries out of a slot. Those of level 0 are due, others are moved to lower levels. Returns how
    /// many there were.
    fn empty(&mut self, place: Place, limit: usize, due: &mut Vec<T>) -> usize {
        let (level, slot) = (place.level as usize, place.slot as usize);
        let Slot {
            first: mut keys,
            len,
        } = self.levels[level].slots[slot];
        let mut gone = 0;
        while gone < limit && gone < len as usize {
            for (list, &(key, at)) in self.heads(&mut keys).iter().enumerate() {
                if key == NONE {
                    continue;
                }
                gone += 1;
                if level > 0 {
                    self.relink(key, at, list);
                } else if let Some(entry) = self.entries.take(key) {
                    due.push(entry.value);
                }
            }
        }
        // Only now, and not for each entry that comes to the front.
        for key in &keys {
            if let Some(entry) = self.entries.get_mut(*key) {
                entry.previous = NONE;
            }
        }
        let level = &mut self.levels[level];
        level.slots[slot] = Slot {
            first: keys,
            len: len - gone as u32,
        };
        if level.slots[slot].len == 0 {
            level.occupied &= !(1 << slot);
        }
        gone
    }

    /// Advances each key by one entry of its list. Returns the keys and instants of the entries, `NONE` and `NEVER` at
    /// the end of a list. The processor fetches all of them from memory at the same time.
    #[inline(never)]
    fn heads(&self, keys: &mut [u32; LISTS]) -> [(u32, u64); LISTS] {
        let mut heads = [(NONE, NEVER); LISTS];
        for (key, head) in keys.iter_mut().zip(&mut heads) {
            if let Some(entry) = self.entries.get(*key) {
                *head = (*key, entry.at);
                *key = entry.next;
            }
        }
        heads
    }

    /// Returns the nanosecond at which the first entry is due, or has to be moved.
    fn next(&self) -> u64 {
        let mut next = NEVER;
        for level in 0..self.levels.len() {
            if let Some((place, start)) = self.first_of(level) {
                let slot = &self.levels[level].slots[place.slot as usize];
                next = next.min(nanos(slot.leaves_at(level as u32, start)));
            }
        }
        next
    }

    /// Gives up the memory that is not needed any more. Dropping it may take long.
    pub(crate) fn shrink(&mut self) -> Vec<impl Sized + use<T>> {
        self.entries.shrink()
    }

    /// Links an entry into its slot (invariant 1), at the front of that list. `put` stores its place and the next entry,
    /// and returns its key. Also returns [`Slot::leaves_at`]. Inlined into an insertion, the most frequent caller.
    #[inline(always)]
    fn link(
        &mut self,
        at: u64,
        list: usize,
        put: impl FnOnce(&mut Slab<Entry<T>>, Place, u32) -> u32,
    ) -> (u32, u64) {
        let mut level = 0;
        // Up to the level where both are in the same block or in adjacent ones (invariant 1).
        let mut number = at.max(self.now);
        let mut current = self.now;
        while (number >> BITS) - (current >> BITS) > 1 {
            number >>= BITS;
            current >>= BITS;
            level += 1;
        }
        if self.levels.len() <= level as usize {
            self.add_levels(level);
        }
        let place = Place {
            level: level as u8,
            slot: (number % SLOTS) as u8,
        };
        let Level { occupied, slots } = &mut self.levels[level as usize];
        let slot = &mut slots[place.slot as usize];
        let next = slot.first[list];
        // First of all, since a slab that is full panics.
        let key = put(&mut self.entries, place, next);
        slot.first[list] = key;
        slot.len += 1;
        *occupied |= 1 << place.slot;
        let leaves_at = slot.leaves_at(level, number << shift(level));
        if let Some(next) = self.entries.get_mut(next) {
            next.previous = key;
        }
        (key, leaves_at)
    }

    /// Adds levels up to that one. A new level takes more than half a page of stack, so insertions leave it to this
    /// function.
    #[cold]
    #[inline(never)]
    fn add_levels(&mut self, level: u32) {
        while self.levels.len() <= level as usize {
            self.levels.push(Level {
                occupied: 0,
                slots: [EMPTY; SLOTS as usize],
            });
        }
    }

    /// [`Wheel::link`] for an entry that moves, which is rarer than an insertion. It stays in the list of that number.
    #[inline(never)]
    fn relink(&mut self, key: u32, at: u64, list: usize) {
        self.link(at, list, |entries, place, next| {
            if let Some(entry) = entries.get_mut(key) {
                entry.place = place;
                entry.previous = NONE;
                entry.next = next;
            }
            key
        });
    }

    /// Takes an entry that was removed out of its list.
    #[inline(always)]
    fn unlink(&mut self, entry: &Entry<T>) {
        let place = entry.place;
        let level = &mut self.levels[place.level as usize];
        let slot = &mut level.slots[place.slot as usize];
        slot.len -= 1;
        if slot.len == 0 {
            level.occupied &= !(1 << place.slot);
        }
        match self.entries.get_mut(entry.previous) {
            Some(previous) => previous.next = entry.next,
            None => slot.first[entry.generation as usize % LISTS] = entry.next,
        }
        if let Some(next) = self.entries.get_mut(entry.next) {
            next.previous = entry.previous;
        }
    }

    /// Returns the first slot with entries, and when it begins. Of those that begin together the one of the highest
    /// level, whose entries may be due before the others'.
    fn first(&self) -> Option<(Place, u64)> {
        let mut first = None;
        for level in 0..self.levels.len() {
            if let Some((place, start)) = self.first_of(level) {
                if first.is_none_or(|(_, earliest)| start <= earliest) {
                    first = Some((place, start));
                }
            }
        }
        first
    }

    /// The first slot of a level that has entries, and when it begins.
    #[inline(never)]
    fn first_of(&self, level: usize) -> Option<(Place, u64)> {
        let shift = shift(level as u32);
        let current = self.now >> shift;
        let occupied = self.levels[level].occupied;
        let ahead = occupied.rotate_right((current % SLOTS) as u32);
        let number = current + u64::from(ahead.trailing_zeros());
        let place = Place {
            level: level as u8,
            slot: (number % SLOTS) as u8,
        };
        (ahead != 0).then(|| (place, number << shift))
    }
}

/// How many bits are below the number of a level's slot.
fn shift(level: u32) -> u32 {
    level * BITS
}

/// The nanosecond at which a tick begins.
fn nanos(tick: u64) -> u64 {
    tick.saturating_mul(1 << TICK)
}

#[cfg(all(test, not(cantok_loom)))]
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
        Shrink,
    }

    fn rounded_up(nanos: u64) -> u64 {
        super::nanos(nanos.div_ceil(1 << TICK))
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
            1 => Just(Op::Shrink),
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
                        let (key, next) = wheel.insert(at, number);
                        prop_assert!(next <= rounded_up(at));
                        sorted.insert((at, number), key);
                    }
                    Op::Remove(index) if !sorted.is_empty() => {
                        let (&entry, &key) = sorted.iter().nth(index.index(sorted.len())).unwrap();
                        prop_assert_eq!(wheel.remove(key), Some(entry.1));
                        prop_assert_eq!(wheel.remove(key), None);
                        sorted.remove(&entry);
                        gone.push(key);
                    }
                    Op::Remove(_) => {}
                    Op::Shrink => drop(wheel.shrink()),
                    Op::Advance(by) => {
                        // Stays clear of the end of time.
                        now = now.saturating_add(by).min(u64::MAX / 2);
                        let mut due = Vec::new();
                        let mut calls = 0;
                        let next = loop {
                            let before = due.len();
                            let next = wheel.take_due(now, limit, &mut due);
                            prop_assert!(due.len() < before + limit + LISTS, "more than the limit");
                            if next > now {
                                break next;
                            }
                            calls += 1;
                            // Each takes an entry, or moves one to a lower level.
                            prop_assert!(calls <= 8 * sorted.len(), "nothing done, and nothing to wait for");
                        };
                        due.sort_unstable();
                        let later = sorted.split_off(&((now >> TICK << TICK) + 1, 0));
                        gone.extend(sorted.values().copied());
                        let mut expected: Vec<_> = sorted.keys().map(|key| key.1).collect();
                        expected.sort_unstable();
                        prop_assert_eq!(due, expected);
                        sorted = later;
                        let first = sorted.keys().next().map_or(NEVER, |key| rounded_up(key.0));
                        prop_assert!(next <= first, "asked for at {}, due at {}", next, first);
                        prop_assert!(now < next);
                    }
                }
            }
            // A removed entry's key does not remove the entry that now has its slot.
            for key in gone {
                prop_assert_eq!(wheel.remove(key), None);
            }
            prop_assert_eq!(wheel.entries.into_values().len(), sorted.len());
        }
    }
}
