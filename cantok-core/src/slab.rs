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
    /// The chunk that got empty last, and keeps its memory, unless it is used again.
    reserve: u32,
}

struct Chunk<T> {
    slots: Vec<Slot<T>>,
    /// The head of the list of free slots. `NONE` if all slots are taken.
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

    /// The chunk with that number, in a slab that has these.
    #[inline]
    fn at<'a>(first: &'a mut Self, more: &'a mut [Self], at: u32) -> Option<&'a mut Self> {
        match at.checked_sub(1) {
            None => Some(first),
            Some(at) => more.get_mut(at as usize),
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
            reserve: 0,
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
        self.insert_with(|| value)
    }

    /// [`Slab::insert`] of a value that is made in place. `make` must not panic.
    #[inline(always)]
    pub(crate) fn insert_with(&mut self, make: impl FnOnce() -> T) -> u32 {
        let (key, slot) = self.take_slot();
        // The old value owns nothing, so it is not dropped.
        forget(replace(slot, Slot::Taken(make())));
        key
    }

    /// Takes a free slot. Returns it with its key.
    #[inline]
    fn take_slot(&mut self) -> (u32, &mut Slot<T>) {
        let at = self.with_room;
        if self.chunk(at).is_none_or(|chunk| chunk.free == NONE) {
            return self.add_slot();
        }
        let Some(chunk) = Chunk::at(&mut self.first, &mut self.more, at) else {
            unreachable!("a chunk with room has a free slot")
        };
        self.used += u32::from(chunk.len == 0);
        chunk.len += 1;
        if chunk.len == CHUNK {
            self.with_room = chunk.next;
        }
        let index = chunk.free;
        let Some(slot) = chunk.slots.get_mut(index as usize) else {
            unreachable!("a chunk with room has a free slot")
        };
        if let Slot::Free(next) = slot {
            chunk.free = *next;
        }
        (at * CHUNK + index, slot)
    }

    /// [`Slab::take_slot`] of a new slot.
    #[inline(never)]
    fn add_slot(&mut self) -> (u32, &mut Slot<T>) {
        if self.with_room == NONE {
            self.add_chunk();
        }
        if let Some(chunk) = self.chunk_mut(self.with_room) {
            chunk.free = chunk.slots.len() as u32;
            chunk.slots.push(Slot::Free(NONE));
        }
        self.take_slot()
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
        Chunk::at(&mut self.first, &mut self.more, at)
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
        let (value, is_empty) = self.take_as(key, is_wanted, into)?;
        if is_empty {
            self.tidy(key / CHUNK);
        }
        value
    }

    /// Removes an entry and keeps the memory.
    pub(crate) fn take(&mut self, key: u32) -> Option<T> {
        self.take_as(key, |_| true, Some)?.0
    }

    /// Also returns whether that was the last entry of its chunk.
    #[inline(always)]
    fn take_as<U>(
        &mut self,
        key: u32,
        is_wanted: impl FnOnce(&T) -> bool,
        into: impl FnOnce(T) -> Option<U>,
    ) -> Option<(Option<U>, bool)> {
        let (at, index) = (key / CHUNK, key % CHUNK);
        let chunk = Chunk::at(&mut self.first, &mut self.more, at)?;
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
        let is_empty = chunk.len == 0;
        self.used -= u32::from(is_empty);
        Some((value, is_empty))
    }

    /// Frees memory once that chunk has got empty. Its own stays in reserve, in place of another one's, so that a single
    /// entry that comes and goes allocates nothing.
    #[inline]
    fn tidy(&mut self, at: u32) {
        if !self.is_small() {
            self.free_memory(at);
        }
    }

    /// [`Slab::tidy`] of a slab that is not small.
    #[inline(never)]
    fn free_memory(&mut self, at: u32) {
        if self.used > 0 {
            let before = replace(&mut self.reserve, at);
            if before != at {
                drop(self.take_spare(before));
            }
        } else {
            *self = Slab::new();
        }
    }

    /// Whether the slab keeps its memory once it is empty. It then has one chunk.
    #[inline]
    fn is_small(&self) -> bool {
        self.more.is_empty() && self.first.slots.len() <= CHUNK as usize / 4
    }

    /// Gives up the memory that [`Slab::take`] has kept, but for that of one chunk.
    pub(crate) fn shrink(&mut self) -> Vec<impl Sized + use<T>> {
        if self.used == 0 && !self.more.is_empty() {
            let Slab {
                first, mut more, ..
            } = replace(self, Slab::new());
            more.push(first);
            return more;
        }
        // The next entry goes there.
        self.reserve = self.with_room;
        let mut spare = Vec::new();
        for at in 0..=self.more.len() as u32 {
            if at == self.reserve {
                continue;
            }
            if let Some(chunk) = self.take_spare(at) {
                spare.push(chunk);
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
        Some(Chunk {
            slots: take(&mut chunk.slots),
            ..Chunk::new()
        })
    }

    /// Returns where the batch after the `slots` slots from `from` on begins, if there is one. A batch is within a chunk.
    fn next_batch(&self, from: u32, slots: usize) -> Option<u32> {
        let at = from / CHUNK;
        let end = self.chunk(at).map_or(0, |chunk| chunk.slots.len());
        if (from % CHUNK) as usize + slots < end {
            Some(from + slots as u32)
        } else {
            self.chunk(at + 1).map(|_| (at + 1) * CHUNK)
        }
    }

    /// Returns the key of the first match from `from` on.
    pub(crate) fn find(&self, from: u32, is_match: impl Fn(&T) -> bool) -> Option<u32> {
        let mut from = Some(from);
        while let Some(start) = from {
            let next = self.next_batch(start, CHUNK as usize);
            let slots = self
                .chunk(start / CHUNK)
                .map_or(&[][..], |chunk| &chunk.slots);
            let slots = slots.get((start % CHUNK) as usize..).unwrap_or_default();
            for (index, slot) in slots.iter().enumerate() {
                if matches!(slot, Slot::Taken(value) if is_match(value)) {
                    return Some(start + index as u32);
                }
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
        let next = self.next_batch(from, slots);
        let (at, index) = (from / CHUNK, (from % CHUNK) as usize);
        let chunk = Chunk::at(&mut self.first, &mut self.more, at)?;
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
        let is_empty = chunk.len == 0;
        if chunk.len < len {
            if len == CHUNK {
                chunk.next = replace(&mut self.with_room, at);
            }
            if is_empty {
                self.used -= 1;
                self.tidy(at);
            }
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

    pub(crate) fn into_values(mut self) -> Vec<T> {
        let mut values = Vec::new();
        self.remove_if(|_| true, |value| values.push(value));
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
        /// Removes all but the multiples of that number.
        RemoveIf(usize),
        /// `RemoveIf` for that many slots from there on.
        RemoveSome(prop::sample::Index, usize, usize),
    }

    fn op() -> impl Strategy<Value = Op> {
        prop_oneof![
            3 => (1_usize..400).prop_map(Op::Insert),
            3 => any::<prop::sample::Index>().prop_map(Op::Remove),
            3 => any::<prop::sample::Index>().prop_map(Op::Take),
            1 => Just(Op::Shrink),
            1 => (1_usize..5).prop_map(Op::RemoveIf),
            2 => (any::<prop::sample::Index>(), 1_usize..300, 1_usize..5)
                .prop_map(|(from, slots, keep)| Op::RemoveSome(from, slots, keep)),
        ]
    }

    fn chunks(slab: &Slab<usize>) -> impl Iterator<Item = &Chunk<usize>> {
        [&slab.first].into_iter().chain(&slab.more)
    }

    fn entries(slab: &Slab<usize>) -> BTreeMap<u32, usize> {
        let slots = (0..)
            .zip(chunks(slab))
            .flat_map(|(at, chunk)| (at * CHUNK..).zip(&chunk.slots));
        let entries = slots.filter_map(|(key, slot)| match slot {
            Slot::Taken(value) => Some((key, *value)),
            Slot::Free(_) => None,
        });
        entries.collect()
    }

    fn slots(slab: &Slab<usize>) -> usize {
        chunks(slab).map(|chunk| chunk.slots.len()).sum()
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
                    Op::RemoveSome(index, slots, keep) if !map.is_empty() => {
                        let start = *map.keys().nth(index.index(map.len())).unwrap();
                        let next = slab.next_batch(start, slots);
                        let end = (start as usize + slots).min((start / CHUNK + 1) as usize * CHUNK as usize);
                        let batch = map.range(start..end as u32);
                        let wanted: Vec<u32> = batch.filter(|(_, value)| *value % keep != 0).map(|(key, _)| *key).collect();
                        prop_assert!(next.is_some() || map.range(end as u32..).next().is_none(), "no way on");
                        let mut removed = Vec::new();
                        let is_wanted = |key, value: &usize| {
                            assert_eq!(map.get(&key), Some(value));
                            value % keep != 0
                        };
                        prop_assert_eq!(slab.remove_some(start, slots, is_wanted, |value| removed.push(value)), next);
                        let expected: Vec<usize> = wanted.iter().filter_map(|key| map.remove(key)).collect();
                        prop_assert_eq!(removed, expected);
                    }
                    Op::Remove(_) | Op::Take(_) | Op::RemoveSome(..) => {}
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
                prop_assert!(has_taken || slots(&slab) <= (used + 1) * CHUNK as usize, "{} slots", slots(&slab));
                // A single entry that comes and goes finds the slot that it left.
                for turn in 0..3 {
                    let before = slots(&slab);
                    let key = slab.insert(0);
                    prop_assert!(turn < 2 || slots(&slab) == before, "a new slot each time");
                    prop_assert_eq!(slab.remove_one_if(key, |_| true), Some(0));
                }
            }
        }
    }
}
