//! A thread that handles entries when they are due. Users cannot delay it, as long as the handler runs no user code.
//!
//! # Invariants
//!
//! 1. **Nothing is overslept.** The thread sleeps until `alarm`, when the first entry is due. An insertion first makes its
//!    entry visible under the lock of a shard. Then it lowers `alarm`, and wakes the thread if it did. The thread raises
//!    `alarm` before it goes through the shards. So an entry that it misses is inserted later, and that insertion sees
//!    the raised `alarm`.
//! 2. **The thread is rarely woken.** A removal leaves `alarm` alone. So an insertion wakes the thread only if it is
//!    due before every entry since the last wake-up: once for any number of entries that come and go. The instants of
//!    alarms are a tick of the wheel apart.
//! 3. A thread inserts into one shard, which it shares with few others. The lock of a shard nests in no other lock of
//!    this module.

use crate::clock::{self, NEVER, instant, nanos};
use crate::sync::{AtomicU32, AtomicU64, Mutex, MutexGuard, Ordering, thread_locals, try_lock};
use crate::wheel::{Key, Wheel};
use crate::worker::Worker;
use std::cell::Cell;
use std::io;
use std::num::NonZeroU64;
use std::sync::atomic::AtomicUsize;
use std::time::Instant;

const SHARDS: usize = if cfg!(cantok_loom) { 1 } else { 16 };

/// How many entries are taken at a time, so that others can come and go in between.
const BATCH: usize = 256;

/// In nanoseconds. If nothing is due for so long, a burst is over, and its memory is freed.
const PAUSE: u64 = 1_000_000;

pub(crate) struct Timer<T: 'static> {
    worker: Worker<()>,
    /// When the thread wakes up, as a number of the clock (invariants 1 and 2).
    alarm: AtomicU64,
    shards: [Mutex<Wheel<T>>; SHARDS],
    /// One bit for each shard that was locked when the process was forked.
    lost: AtomicU32,
}

/// Identifies an entry: its shard, and the key there.
#[derive(Clone, Copy)]
pub(crate) struct Alarm(NonZeroU64);

impl Alarm {
    fn new(shard: usize, key: Key) -> Self {
        // Not zero: shards count from one.
        let packed =
            (shard as u64 + 1) << 59 | u64::from(key.generation) << 32 | u64::from(key.slot);
        Alarm(NonZeroU64::new(packed).unwrap_or(NonZeroU64::MAX))
    }

    fn shard(self) -> usize {
        (self.0.get() >> 59) as usize - 1
    }

    fn key(self) -> Key {
        Key {
            slot: self.0.get() as u32,
            generation: (self.0.get() >> 32) as u32 % (1 << 27),
        }
    }

    /// Packs the alarm for an atomic.
    pub(crate) fn to_bits(self) -> u64 {
        self.0.get()
    }

    pub(crate) fn from_bits(bits: u64) -> Option<Self> {
        NonZeroU64::new(bits).map(Alarm)
    }
}

impl<T> Timer<T> {
    /// Makes a timer. Its thread only calls `run`, which is expected to call [`Timer::run`].
    #[cfg(not(cantok_loom))]
    pub(crate) const fn new(name: &'static str, run: fn()) -> Self {
        Timer {
            worker: Worker::new(name, run, ()),
            alarm: AtomicU64::new(NEVER),
            shards: [const { Mutex::new(Wheel::new()) }; SHARDS],
            lost: AtomicU32::new(0),
        }
    }

    /// [`Worker::start`].
    pub(crate) fn start(&self) -> io::Result<()> {
        self.worker.start()
    }

    /// [`Worker::start_here`].
    pub(crate) fn start_here(&self) -> io::Result<()> {
        if self.worker.is_forked() {
            // The thread may have raised it and not lowered it yet. Relaxed: the new thread is started afterwards.
            self.alarm.store(0, Ordering::Relaxed);
            for (index, shard) in self.shards.iter().enumerate() {
                if try_lock(shard).is_none() {
                    // Relaxed: as above.
                    self.lost.fetch_or(1 << index, Ordering::Relaxed);
                }
            }
        }
        self.worker.start_here()
    }

    /// Whether the thread belongs to a process from which this one was forked.
    pub(crate) fn is_forked(&self) -> bool {
        self.worker.is_forked()
    }

    /// Whether the thread wakes up at that instant, or before it. If the instant has passed, the thread is about to.
    pub(crate) fn wakes_by(&self, at: Instant) -> bool {
        // Relaxed: an insertion sees to it that nothing is overslept, whatever this returns.
        self.alarm.load(Ordering::Relaxed) <= nanos(at)
    }

    /// Inserts an entry. The thread must have been started.
    pub(crate) fn insert(&self, at: Instant, value: T) -> Alarm {
        self.insert_into(shard(), nanos(at), value)
    }

    /// [`Timer::insert`] into that shard, or the next one that can be locked.
    fn insert_into(&self, mut shard: usize, at: u64, value: T) -> Alarm {
        let (key, next) = loop {
            match self.shard(shard) {
                Some(mut wheel) => break wheel.insert(at, value),
                None => shard = (shard + 1) % SHARDS,
            }
        };
        // Relaxed: the lock of the shard orders this with the thread (invariant 1).
        if next < self.alarm.load(Ordering::Relaxed)
            && next < self.alarm.fetch_min(next, Ordering::Relaxed)
        {
            // The thread reads `alarm` under this lock before it sleeps.
            drop(self.worker.lock_unless_forked());
            self.worker.wake();
        }
        Alarm::new(shard, key)
    }

    /// Removes an entry. `None` if it was due and has just been taken out. Do not remove an alarm that has already
    /// rung.
    pub(crate) fn remove(&self, alarm: Alarm) -> Option<T> {
        self.shard(alarm.shard())?.remove(alarm.key())
    }

    /// `None` if the process was forked while another thread held the lock, which nothing will release.
    fn shard(&self, index: usize) -> Option<MutexGuard<'_, Wheel<T>>> {
        // Relaxed: see `start_here`.
        if self.lost.load(Ordering::Relaxed) & (1 << index) != 0 {
            return None;
        }
        self.worker.lock_beside(&self.shards[index])
    }

    /// Passes due entries to `fire`, for ever. `fire` is expected to empty the list. `free` is given the memory that a
    /// burst leaves behind, since an allocator may take a fraction of a second to take it back.
    pub(crate) fn run(&self, mut fire: impl FnMut(Instant, &mut Vec<T>), free: fn(Box<dyn Send>))
    where
        T: Send,
    {
        let mut due = Vec::new();
        let mut has_fired = false;
        loop {
            let next = self.turn(&mut due, &mut |now, due| {
                has_fired = true;
                fire(now, due);
            });
            if has_fired && next > nanos(clock::now()).saturating_add(PAUSE) {
                has_fired = false;
                self.shrink(free);
            }
        }
    }

    /// Sleeps until `alarm`, and passes what is due then to `fire`, or a batch of it. Returns when the next entry is due.
    fn turn(&self, due: &mut Vec<T>, fire: &mut impl FnMut(Instant, &mut Vec<T>)) -> u64 {
        self.sleep();
        // Relaxed, here and below: the locks of the shards order this with insertions (invariant 1).
        self.alarm.store(NEVER, Ordering::Relaxed);
        let mut next = NEVER;
        for shard in 0..SHARDS {
            let now = clock::now();
            if let Some(mut wheel) = self.shard(shard) {
                next = next.min(wheel.take_due(nanos(now), BATCH, due));
            }
            if !due.is_empty() {
                fire(now, due);
            }
        }
        self.alarm.fetch_min(next, Ordering::Relaxed);
        next
    }

    fn shrink(&self, free: fn(Box<dyn Send>))
    where
        T: Send,
    {
        for shard in 0..SHARDS {
            let spare = self.shard(shard).map(|mut wheel| wheel.shrink());
            if let Some(spare) = spare.filter(|spare| !spare.is_empty()) {
                free(Box::new(spare));
            }
        }
    }

    /// Sleeps until `alarm`.
    fn sleep(&self) {
        let mut awake = self.worker.lock();
        loop {
            // Relaxed: read under the lock that is taken between a change and a wake-up.
            let alarm = self.alarm.load(Ordering::Relaxed);
            if alarm <= nanos(clock::now()) {
                return;
            }
            awake = self.worker.sleep(awake, instant(alarm));
        }
    }
}

/// Returns this thread's shard.
fn shard() -> usize {
    // Not loom's, which a static cannot hold.
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_locals! {
        static SHARD: Cell<usize> = Cell::new(usize::MAX);
    }
    // Relaxed: the number publishes nothing.
    let new = || NEXT.fetch_add(1, Ordering::Relaxed) % SHARDS;
    let shard = SHARD.try_with(|shard| {
        if shard.get() == usize::MAX {
            shard.set(new());
        }
        shard.get()
    });
    // At the end of a thread the variable is gone.
    shard.unwrap_or(0)
}

/// Loom has no clock, so entries are due at the start of time. A thread that sleeps although one is there sleeps for ever,
/// which loom reports as a deadlock.
#[cfg(all(test, cantok_loom))]
mod tests {
    use super::*;
    use crate::sync::Arc;
    use loom::thread;

    fn timer() -> Arc<Timer<u8>> {
        Arc::new(Timer {
            worker: Worker::for_model(),
            alarm: AtomicU64::new(NEVER),
            shards: std::array::from_fn(|_| Mutex::new(Wheel::new())),
            lost: AtomicU32::new(0),
        })
    }

    /// The timer's thread, until it has taken out that many entries.
    fn run(timer: &Timer<u8>, entries: usize) {
        let (mut due, mut taken) = (Vec::new(), 0);
        while taken < entries {
            timer.turn(&mut due, &mut |_, due| taken += due.drain(..).count());
        }
    }

    fn model(f: impl Fn() + Send + Sync + 'static) {
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = builder.preemption_bound.or(Some(3));
        builder.check(f);
    }

    #[test]
    fn no_insertion_is_overslept() {
        model(|| {
            let timer = timer();
            let other = Arc::clone(&timer);
            let thread = thread::spawn(move || run(&other, 2));
            timer.insert_into(0, 0, 1);
            timer.insert_into(0, 0, 2);
            thread.join().unwrap();
        });
    }

    #[test]
    fn no_insertion_of_two_threads_is_overslept() {
        model(|| {
            let timer = timer();
            let threads = [1, 2].map(|value| {
                let timer = Arc::clone(&timer);
                thread::spawn(move || timer.insert_into(0, 0, value))
            });
            run(&timer, 2);
            for thread in threads {
                thread.join().unwrap();
            }
        });
    }

    /// What is removed in time is not taken out, and what stays is.
    #[test]
    fn an_entry_is_removed_or_taken_out() {
        model(|| {
            let timer = timer();
            let alarm = timer.insert_into(0, 0, 1);
            let other = Arc::clone(&timer);
            let remover = thread::spawn(move || {
                let is_removed = other.remove(alarm).is_some();
                other.insert_into(0, 0, 2);
                is_removed
            });
            let (mut due, mut taken) = (Vec::new(), Vec::new());
            while !taken.contains(&2) {
                timer.turn(&mut due, &mut |_, due| taken.append(due));
            }
            let is_removed = remover.join().unwrap();
            assert_eq!(taken.contains(&1), !is_removed);
        });
    }
}
