//! Entries whose keys stay valid while others come and go. Insertion and removal cost the same from one entry to
//! millions. A burst leaves no memory behind, even if one of its entries stays.

use std::mem::{forget, replace, take};

/// Entries per chunk. Memory is freed chunk by chunk.
const CHUNK: usize = 256;

const NONE: u32 = u32::MAX;

pub(crate) struct Slab<T> {
    chunks: Vec<Chunk<T>>,
    /// The head of the list of chunks with room.
    with_room: u32,
    len: usize,
    /// Slots in memory, taken or free.
    allocated: usize,
}

struct Chunk<T> {
    slots: Vec<Slot<T>>,
    free: u32,
    len: usize,
    /// The next chunk with room.
    next: u32,
}

enum Slot<T> {
    Taken(T),
    /// The index of the next free slot of this chunk.
    Free(u32),
}

impl<T> Slab<T> {
    pub(crate) const fn new() -> Self {
        Slab {
            chunks: Vec::new(),
            with_room: NONE,
            len: 0,
            allocated: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
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
        let chunk = &mut self.chunks[at as usize];
        let slot = chunk.free;
        let slot = match chunk.slots.get_mut(slot as usize) {
            Some(free) => {
                if let Slot::Free(next) = free {
                    chunk.free = *next;
                }
                // Without a drop of nothing.
                forget(replace(free, Slot::Taken(value)));
                slot
            }
            None => {
                chunk.slots.push(Slot::Taken(value));
                self.allocated += 1;
                chunk.slots.len() as u32 - 1
            }
        };
        chunk.len += 1;
        self.len += 1;
        if chunk.len == CHUNK {
            self.with_room = chunk.next;
        }
        at * CHUNK as u32 + slot
    }

    #[cold]
    #[inline(never)]
    fn add_chunk(&mut self) {
        let at = self.chunks.len() as u32;
        // So that all keys are less than `NONE`.
        assert!(at < NONE / CHUNK as u32, "fewer than 2^32 entries");
        self.with_room = at;
        self.chunks.push(Chunk {
            slots: Vec::new(),
            free: NONE,
            len: 0,
            next: NONE,
        });
    }

    pub(crate) fn get(&self, key: u32) -> Option<&T> {
        let slots = &self.chunks.get(key as usize / CHUNK)?.slots;
        match slots.get(key as usize % CHUNK)? {
            Slot::Taken(value) => Some(value),
            Slot::Free(_) => None,
        }
    }

    pub(crate) fn get_mut(&mut self, key: u32) -> Option<&mut T> {
        let slots = &mut self.chunks.get_mut(key as usize / CHUNK)?.slots;
        match slots.get_mut(key as usize % CHUNK)? {
            Slot::Taken(value) => Some(value),
            Slot::Free(_) => None,
        }
    }

    pub(crate) fn remove(&mut self, key: u32) -> Option<T> {
        self.remove_one_if(key, |_| true)
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
        if self.len == 0 || self.has_spare() {
            self.tidy(key);
        }
        Some(value)
    }

    /// Frees what the entry with that key, which was just removed, has left.
    #[inline(never)]
    fn tidy(&mut self, key: u32) {
        if self.len == 0 {
            self.clear();
        } else {
            drop(self.take_spare(key as usize / CHUNK));
        }
    }

    /// Whether chunks without entries are freed. One stays in reserve, so that a single entry that comes and goes
    /// allocates nothing.
    fn has_spare(&self) -> bool {
        self.allocated - self.len >= 2 * CHUNK
    }

    /// [`Slab::remove`] that keeps the memory.
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
        let at = key as usize / CHUNK;
        let chunk = self.chunks.get_mut(at)?;
        let slot = chunk.slots.get_mut(key as usize % CHUNK)?;
        if !matches!(slot, Slot::Taken(value) if is_wanted(value)) {
            return None;
        }
        let value = match replace(slot, Slot::Free(chunk.free)) {
            Slot::Taken(value) => into(value),
            Slot::Free(_) => None,
        };
        chunk.free = key % CHUNK as u32;
        if chunk.len == CHUNK {
            chunk.next = self.with_room;
            self.with_room = at as u32;
        }
        chunk.len -= 1;
        self.len -= 1;
        value
    }

    /// Gives up the memory that [`Slab::take`] has kept, but for that of two chunks.
    pub(crate) fn shrink(&mut self) -> Vec<impl Sized + use<T>> {
        if self.len == 0 && self.chunks.len() > 1 {
            let spare = take(&mut self.chunks);
            self.clear();
            return spare;
        }
        let mut spare = Vec::new();
        for at in 0..self.chunks.len() {
            if !self.has_spare() {
                break;
            }
            if let Some(chunk) = self.take_spare(at) {
                spare.push(chunk);
            }
        }
        spare
    }

    /// Takes the memory of a chunk, if it has no entries.
    fn take_spare(&mut self, at: usize) -> Option<Chunk<T>> {
        let chunk = self.chunks.get_mut(at).filter(|chunk| chunk.len == 0)?;
        self.allocated -= chunk.slots.len();
        chunk.free = NONE;
        Some(Chunk {
            slots: take(&mut chunk.slots),
            ..*chunk
        })
    }

    /// Removes the chunks of a slab without entries.
    fn clear(&mut self) {
        self.allocated = 0;
        match self.chunks.as_mut_slice() {
            [only] if only.slots.len() <= CHUNK / 4 => {
                only.slots.clear();
                only.free = NONE;
            }
            _ => {
                self.chunks = Vec::new();
                self.with_room = NONE;
            }
        }
    }

    /// [`Slab::remove`] for keys of one [`Slab::batch`].
    pub(crate) fn remove_batch(&mut self, keys: &[u32], mut take: impl FnMut(T)) {
        let Some((last, others)) = keys.split_last() else {
            return;
        };
        let at = *last as usize / CHUNK;
        if let Some(chunk) = self.chunks.get_mut(at).filter(|chunk| chunk.len < CHUNK) {
            for key in others {
                let Some(slot) = chunk.slots.get_mut(*key as usize % CHUNK) else {
                    continue;
                };
                if let Slot::Taken(_) = slot {
                    let free = Slot::Free(chunk.free);
                    chunk.free = key % CHUNK as u32;
                    chunk.len -= 1;
                    self.len -= 1;
                    if let Slot::Taken(value) = replace(slot, free) {
                        take(value);
                    }
                }
            }
        } else {
            others.iter().for_each(|key| {
                self.remove(*key).map(&mut take);
            });
        }
        self.remove(*last).map(&mut take);
    }

    /// Returns the entries in `slots` slots from `from` on, with their keys, and where the next batch begins, if there
    /// is one.
    pub(crate) fn batch(
        &self,
        from: u32,
        slots: usize,
    ) -> (impl Iterator<Item = (u32, &T)>, Option<u32>) {
        let at = from as usize / CHUNK;
        let chunk = self.chunks.get(at).map_or(&[][..], |chunk| &chunk.slots);
        let rest = chunk.get(from as usize % CHUNK..).unwrap_or_default();
        let batch = &rest[..rest.len().min(slots)];
        let next = if batch.len() < rest.len() {
            Some(from + batch.len() as u32)
        } else {
            let next = at + 1;
            (next < self.chunks.len()).then(|| (next * CHUNK) as u32)
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
            let (mut entries, next) = self.batch(start, CHUNK);
            if let Some((key, _)) = entries.find(|(_, value)| is_match(value)) {
                return Some(key);
            }
            from = next;
        }
        None
    }

    /// Removes the entries for which `is_wanted` returns `true`, and passes them to `take`.
    pub(crate) fn remove_if(
        &mut self,
        mut is_wanted: impl FnMut(&T) -> bool,
        mut take: impl FnMut(T),
    ) {
        for chunk in 0..self.chunks.len() {
            // The last removal clears the chunks.
            let slots = self.chunks.get(chunk).map_or(0, |chunk| chunk.slots.len());
            for key in (chunk * CHUNK) as u32..(chunk * CHUNK + slots) as u32 {
                if self.get(key).is_some_and(&mut is_wanted) {
                    self.remove(key).map(&mut take);
                }
            }
        }
    }

    pub(crate) fn into_values(self) -> Vec<T> {
        let mut values = Vec::with_capacity(self.len);
        for chunk in self.chunks {
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
    }

    fn op() -> impl Strategy<Value = Op> {
        prop_oneof![
            3 => (1_usize..400).prop_map(Op::Insert),
            3 => any::<prop::sample::Index>().prop_map(Op::Remove),
            3 => any::<prop::sample::Index>().prop_map(Op::Take),
            1 => Just(Op::Shrink),
            2 => any::<prop::sample::Index>().prop_map(Op::RemoveBatch),
            1 => (1_usize..5).prop_map(Op::RemoveIf),
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
                        prop_assert_eq!(slab.remove(key), map.remove(&key));
                        prop_assert_eq!(slab.remove(key), None);
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
                    Op::Remove(_) | Op::Take(_) | Op::RemoveBatch(_) => {}
                    Op::RemoveIf(keep) => {
                        let mut removed = Vec::new();
                        slab.remove_if(|value| value % keep != 0, |value| removed.push(value));
                        let wanted = |value: &usize| value % keep != 0;
                        let expected: Vec<usize> = map.values().copied().filter(wanted).collect();
                        prop_assert_eq!(removed, expected);
                        map.retain(|_, value| !wanted(value));
                    }
                }
                prop_assert_eq!(slab.len(), map.len());
                prop_assert_eq!(&entries(&slab), &map);
                // Each chunk with an entry, and two more.
                let chunks = map.keys().map(|key| *key as usize / CHUNK);
                let used = chunks.collect::<std::collections::BTreeSet<_>>().len();
                prop_assert!(has_taken || slab.allocated <= (used + 2) * CHUNK, "{} slots", slab.allocated);
            }
        }
    }
}
