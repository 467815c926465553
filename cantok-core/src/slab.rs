//! Entries whose keys stay valid while others come and go. Insertion and removal cost the same from one entry to
//! millions. A burst leaves no memory behind, even if one of its entries stays.

use std::mem::{forget, replace, take};

/// Entries per chunk. Memory is freed chunk by chunk.
const CHUNK: u32 = 256;

const NONE: u32 = u32::MAX;

pub(crate) struct Slab<T> {
    /// In place, since few slabs need another one.
    first: Chunk<T>,
    more: Vec<Chunk<T>>,
    /// The head of the list of chunks with room.
    with_room: u32,
    /// How many chunks have entries.
    used: u32,
    /// How many chunks have memory, but no entries.
    spare: u32,
}

struct Chunk<T> {
    slots: Vec<Slot<T>>,
    free: u32,
    len: u32,
    /// The next chunk with room.
    next: u32,
}

enum Slot<T> {
    Taken(T),
    /// The index of the next free slot of this chunk.
    Free(u32),
}

impl<T> Chunk<T> {
    const fn new() -> Self {
        Chunk {
            slots: Vec::new(),
            free: NONE,
            len: 0,
            next: NONE,
        }
    }
}

impl<T> Slab<T> {
    pub(crate) const fn new() -> Self {
        Slab {
            first: Chunk::new(),
            more: Vec::new(),
            with_room: 0,
            used: 0,
            spare: 0,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.used == 0
    }

    /// # Panics
    ///
    /// If there are 2^32 entries, which take up more than 100 GB.
    #[inline]
    pub(crate) fn insert(&mut self, value: T) -> u32 {
        if self.with_room == NONE {
            self.add_chunk();
        }
        let at = self.with_room;
        let chunk = match at.checked_sub(1) {
            None => &mut self.first,
            Some(at) => &mut self.more[at as usize],
        };
        if chunk.len == 0 {
            self.used += 1;
            self.spare -= u32::from(!chunk.slots.is_empty());
        }
        chunk.len += 1;
        if chunk.len == CHUNK {
            self.with_room = chunk.next;
        }
        let slot = match chunk.slots.get_mut(chunk.free as usize) {
            Some(free) => {
                // Without a drop of nothing.
                let next = replace(free, Slot::Taken(value));
                let slot = chunk.free;
                if let Slot::Free(next) = next {
                    chunk.free = next;
                }
                forget(next);
                slot
            }
            None => {
                chunk.slots.push(Slot::Taken(value));
                chunk.slots.len() as u32 - 1
            }
        };
        at * CHUNK + slot
    }

    #[cold]
    fn add_chunk(&mut self) {
        let at = self.more.len() as u32 + 1;
        assert!(at < NONE / CHUNK, "there are 2^32 entries");
        self.more.push(Chunk::new());
        self.with_room = at;
    }

    fn chunk(&self, at: u32) -> Option<&Chunk<T>> {
        match at.checked_sub(1) {
            None => Some(&self.first),
            Some(at) => self.more.get(at as usize),
        }
    }

    fn chunk_mut(&mut self, at: u32) -> Option<&mut Chunk<T>> {
        match at.checked_sub(1) {
            None => Some(&mut self.first),
            Some(at) => self.more.get_mut(at as usize),
        }
    }

    pub(crate) fn get(&self, key: u32) -> Option<&T> {
        let slots = &self.chunk(key / CHUNK)?.slots;
        match slots.get((key % CHUNK) as usize)? {
            Slot::Taken(value) => Some(value),
            Slot::Free(_) => None,
        }
    }

    pub(crate) fn get_mut(&mut self, key: u32) -> Option<&mut T> {
        let slots = &mut self.chunk_mut(key / CHUNK)?.slots;
        match slots.get_mut((key % CHUNK) as usize)? {
            Slot::Taken(value) => Some(value),
            Slot::Free(_) => None,
        }
    }

    /// Removes the entry if `is_wanted` returns `true`.
    #[inline]
    pub(crate) fn remove_one_if(
        &mut self,
        key: u32,
        is_wanted: impl FnOnce(&T) -> bool,
    ) -> Option<T> {
        self.remove_as(key, is_wanted, Some)
    }

    /// [`Slab::remove_one_if`] that converts the entry at once. A smaller value is moved in registers.
    #[inline(always)]
    pub(crate) fn remove_as<U>(
        &mut self,
        key: u32,
        is_wanted: impl FnOnce(&T) -> bool,
        into: impl FnOnce(T) -> Option<U>,
    ) -> Option<U> {
        let value = self.take_as(key, is_wanted, into)?;
        self.trim(key);
        Some(value)
    }

    /// Removes an entry and keeps the memory.
    pub(crate) fn take(&mut self, key: u32) -> Option<T> {
        self.take_as(key, |_| true, Some)
    }

    #[inline(always)]
    fn take_as<U>(
        &mut self,
        key: u32,
        is_wanted: impl FnOnce(&T) -> bool,
        into: impl FnOnce(T) -> Option<U>,
    ) -> Option<U> {
        let (at, index) = (key / CHUNK, key % CHUNK);
        let chunk = match at.checked_sub(1) {
            None => &mut self.first,
            Some(at) => self.more.get_mut(at as usize)?,
        };
        let slot = chunk.slots.get_mut(index as usize)?;
        if !matches!(slot, Slot::Taken(value) if is_wanted(value)) {
            return None;
        }
        let value = match replace(slot, Slot::Free(chunk.free)) {
            Slot::Taken(value) => into(value),
            Slot::Free(_) => None,
        };
        chunk.free = index;
        if chunk.len == CHUNK {
            chunk.next = replace(&mut self.with_room, at);
        }
        chunk.len -= 1;
        if chunk.len == 0 {
            self.used -= 1;
            self.spare += 1;
        }
        value
    }

    /// Frees memory that is not needed after the removal of that entry. A chunk stays in reserve, so that a single entry
    /// that comes and goes allocates nothing.
    #[inline]
    fn trim(&mut self, key: u32) {
        if self.spare > 1 || self.used == 0 {
            self.free(key / CHUNK);
        }
    }

    #[inline(never)]
    fn free(&mut self, at: u32) {
        if self.used > 0 {
            drop(self.take_spare(at));
        } else if !self.is_small() {
            *self = Slab::new();
        }
    }

    /// Whether a slab without entries keeps its memory.
    fn is_small(&self) -> bool {
        self.more.is_empty() && self.first.slots.len() <= CHUNK as usize / 4
    }

    /// Gives up the memory that [`Slab::take`] has kept.
    pub(crate) fn shrink(&mut self) -> Vec<impl Sized + use<T>> {
        let mut spare = Vec::new();
        if self.used == 0 && !self.is_small() {
            let Slab { first, more, .. } = replace(self, Slab::new());
            spare = more;
            spare.push(first);
        }
        for at in 0..=self.more.len() as u32 {
            if self.spare > 1 {
                spare.extend(self.take_spare(at));
            }
        }
        spare
    }

    /// Takes the memory of a chunk, if it has no entries.
    fn take_spare(&mut self, at: u32) -> Option<Chunk<T>> {
        let chunk = self.chunk_mut(at)?;
        if chunk.len > 0 || chunk.slots.is_empty() {
            return None;
        }
        chunk.free = NONE;
        let slots = take(&mut chunk.slots);
        self.spare -= 1;
        Some(Chunk {
            slots,
            ..Chunk::new()
        })
    }

    /// Removes entries of one chunk.
    pub(crate) fn remove_batch(&mut self, keys: &[u32], mut take: impl FnMut(T)) {
        for key in keys {
            self.take(*key).map(&mut take);
        }
        if let Some(key) = keys.last() {
            self.trim(*key);
        }
    }

    /// Returns the entries in `slots` slots from `from` on, with their keys, and where the next batch begins, if there
    /// is one.
    pub(crate) fn batch(
        &self,
        from: u32,
        slots: usize,
    ) -> (impl Iterator<Item = (u32, &T)>, Option<u32>) {
        let at = from / CHUNK;
        let chunk = self.chunk(at).map_or(&[][..], |chunk| &chunk.slots);
        let rest = chunk.get((from % CHUNK) as usize..).unwrap_or_default();
        let batch = &rest[..rest.len().min(slots)];
        let next = if batch.len() < rest.len() {
            Some(from + batch.len() as u32)
        } else {
            self.chunk(at + 1).map(|_| (at + 1) * CHUNK)
        };
        let entries = (from..).zip(batch).filter_map(|(key, slot)| match slot {
            Slot::Taken(value) => Some((key, value)),
            Slot::Free(_) => None,
        });
        (entries, next)
    }

    /// Returns the key of the first match from `from` on.
    pub(crate) fn find(&self, from: u32, is_match: impl Fn(&T) -> bool) -> Option<u32> {
        let mut from = Some(from);
        while let Some(start) = from {
            let (mut entries, next) = self.batch(start, CHUNK as usize);
            if let Some((key, _)) = entries.find(|(_, value)| is_match(value)) {
                return Some(key);
            }
            from = next;
        }
        None
    }

    /// Removes those entries in `slots` slots from `from` on for which `is_wanted` returns `true`, and passes them to
    /// `take`. Returns where the next batch begins, if there is one.
    pub(crate) fn remove_some(
        &mut self,
        from: u32,
        slots: usize,
        mut is_wanted: impl FnMut(u32, &T) -> bool,
        mut take: impl FnMut(T),
    ) -> Option<u32> {
        let next = self.batch(from, slots).1;
        let (at, index) = (from / CHUNK, (from % CHUNK) as usize);
        let chunk = match at.checked_sub(1) {
            None => &mut self.first,
            Some(at) => self.more.get_mut(at as usize)?,
        };
        let len = chunk.len;
        let batch = chunk.slots.get_mut(index..).unwrap_or_default();
        for (slot, key) in batch.iter_mut().take(slots).zip(from..) {
            if matches!(slot, Slot::Taken(value) if is_wanted(key, value)) {
                if let Slot::Taken(value) = replace(slot, Slot::Free(chunk.free)) {
                    take(value);
                }
                chunk.free = key % CHUNK;
                chunk.len -= 1;
            }
        }
        if chunk.len < len {
            if len == CHUNK {
                chunk.next = replace(&mut self.with_room, at);
            }
            if chunk.len == 0 {
                self.used -= 1;
                self.spare += 1;
            }
            self.trim(from);
        }
        next
    }

    /// Removes the entries for which `is_wanted` returns `true`, and passes them to `take`.
    pub(crate) fn remove_if(
        &mut self,
        mut is_wanted: impl FnMut(&T) -> bool,
        mut take: impl FnMut(T),
    ) {
        let mut from = Some(0);
        while let Some(start) = from {
            let is_wanted = |_, value: &T| is_wanted(value);
            from = self.remove_some(start, CHUNK as usize, is_wanted, &mut take);
        }
    }

    pub(crate) fn into_values(self) -> Vec<T> {
        let mut values = Vec::new();
        for chunk in [self.first].into_iter().chain(self.more) {
            for slot in chunk.slots {
                if let Slot::Taken(value) = slot {
                    values.push(value);
                }
            }
        }
        values
    }
}

#[cfg(all(test, not(cantok_loom)))]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    #[derive(Clone, Debug)]
    enum Op {
        Insert(usize),
        Remove(prop::sample::Index),
        Take(prop::sample::Index),
        Shrink,
        RemoveBatch(prop::sample::Index),
        /// Removes all but the multiples of that number.
        RemoveIf(usize),
        /// The same for so many slots.
        RemoveSome(prop::sample::Index, usize, usize),
    }

    fn op() -> impl Strategy<Value = Op> {
        prop_oneof![
            3 => (1_usize..400).prop_map(Op::Insert),
            3 => any::<prop::sample::Index>().prop_map(Op::Remove),
            3 => any::<prop::sample::Index>().prop_map(Op::Take),
            1 => Just(Op::Shrink),
            2 => any::<prop::sample::Index>().prop_map(Op::RemoveBatch),
            1 => (1_usize..5).prop_map(Op::RemoveIf),
            2 => (any::<prop::sample::Index>(), 1_usize..300, 1_usize..5)
                .prop_map(|(from, slots, keep)| Op::RemoveSome(from, slots, keep)),
        ]
    }

    fn entries(slab: &Slab<usize>) -> BTreeMap<u32, usize> {
        let mut all = BTreeMap::new();
        let mut from = Some(0);
        while let Some(start) = from {
            let (entries, next) = slab.batch(start, 64);
            all.extend(entries.map(|(key, value)| (key, *value)));
            from = next;
        }
        all
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn it_does_what_a_map_does_and_keeps_little_memory(ops in prop::collection::vec(op(), 1..60)) {
            let mut slab = Slab::new();
            let mut map = BTreeMap::new();
            let mut next = 0;
            let mut has_taken = false;
            for op in ops {
                match op {
                    Op::Insert(count) => {
                        for value in next..next + count {
                            prop_assert_eq!(map.insert(slab.insert(value), value), None, "a key twice");
                        }
                        next += count;
                    }
                    Op::Remove(index) if !map.is_empty() => {
                        let key = *map.keys().nth(index.index(map.len())).unwrap();
                        prop_assert_eq!(slab.remove_one_if(key, |_| true), map.remove(&key));
                        prop_assert_eq!(slab.remove_one_if(key, |_| true), None);
                    }
                    Op::Take(index) if !map.is_empty() => {
                        // A range of them, so that whole chunks get empty.
                        let from = index.index(map.len());
                        let keys: Vec<u32> = map.keys().copied().skip(from).take(600).collect();
                        for key in keys {
                            prop_assert_eq!(slab.take(key), map.remove(&key));
                        }
                        has_taken = true;
                    }
                    Op::Shrink => {
                        drop(slab.shrink());
                        has_taken = false;
                    }
                    Op::RemoveBatch(index) if !map.is_empty() => {
                        let start = *map.keys().nth(index.index(map.len())).unwrap();
                        let keys: Vec<u32> = slab.batch(start, 64).0.map(|(key, _)| key).collect();
                        let mut removed = Vec::new();
                        slab.remove_batch(&keys, |value| removed.push(value));
                        let expected: Vec<usize> = keys.iter().filter_map(|key| map.remove(key)).collect();
                        prop_assert_eq!(removed, expected);
                    }
                    Op::RemoveSome(index, slots, keep) if !map.is_empty() => {
                        let start = *map.keys().nth(index.index(map.len())).unwrap();
                        let (batch, next) = slab.batch(start, slots);
                        let wanted: Vec<u32> = batch.filter(|(_, value)| *value % keep != 0).map(|(key, _)| key).collect();
                        let mut removed = Vec::new();
                        let is_wanted = |key, value: &usize| {
                            assert_eq!(map.get(&key), Some(value));
                            value % keep != 0
                        };
                        prop_assert_eq!(slab.remove_some(start, slots, is_wanted, |value| removed.push(value)), next);
                        let expected: Vec<usize> = wanted.iter().filter_map(|key| map.remove(key)).collect();
                        prop_assert_eq!(removed, expected);
                    }
                    Op::Remove(_) | Op::Take(_) | Op::RemoveBatch(_) | Op::RemoveSome(..) => {}
                    Op::RemoveIf(keep) => {
                        let mut removed = Vec::new();
                        slab.remove_if(|value| value % keep != 0, |value| removed.push(value));
                        let wanted = |value: &usize| value % keep != 0;
                        let expected: Vec<usize> = map.values().copied().filter(wanted).collect();
                        prop_assert_eq!(removed, expected);
                        map.retain(|_, value| !wanted(value));
                    }
                }
                prop_assert_eq!(slab.is_empty(), map.is_empty());
                prop_assert_eq!(&entries(&slab), &map);
                // Those of each chunk with an entry, and of one more.
                let chunks = map.keys().map(|key| key / CHUNK);
                let used = chunks.collect::<std::collections::BTreeSet<_>>().len();
                let slots = slab.more.iter().chain([&slab.first]).map(|chunk| chunk.slots.len());
                let slots = slots.sum::<usize>();
                prop_assert!(has_taken || slots <= (used + 1) * CHUNK as usize, "{slots} slots");
            }
        }
    }
}
