//! A node's state: one byte. Most checks read nothing else.

use crate::sync::{AtomicU8, Ordering};

// Bits that change. One bit each, so that one instruction tests several.

/// Cancelled, whatever else is set.
const CANCELLED: u8 = 1;
/// There are edges or a deadline that do not push yet.
const UNARMED: u8 = 2;
/// A waiter was registered, or a guard attached, since the node was made.
const WAITERS: u8 = 4;
/// The node's cause is that of its one edge.
const FOLLOWS: u8 = 8;

// Bits that do not change.

/// Checks call conditions.
const CONDITIONS: u8 = 16;
/// Checks spend counters.
const COUNTERS: u8 = 32;
/// The node has exactly one edge.
const ONE_EDGE: u8 = 64;
/// Checks poll several conditions, several counters, or derived nodes.
const MANY: u8 = 128;

/// What checks of a node poll.
#[derive(Clone, Copy, Default)]
pub(super) struct Polls(u8);

impl Polls {
    pub(super) const CONDITION: Polls = Polls(CONDITIONS);
    pub(super) const COUNTER: Polls = Polls(COUNTERS);
    pub(super) const MANY: Polls = Polls(MANY);

    #[inline]
    pub(super) fn add(&mut self, more: Polls) {
        let is_second = self.0 & more.0 & (CONDITIONS | COUNTERS) != 0;
        self.0 |= more.0 | if is_second { MANY } else { 0 };
    }
}

/// What a check reads, and what a canceller must know. In one byte, so that one read-modify-write changes the state and
/// announces waiters. A cancel of many nodes also pays for every cache line.
#[derive(Default)]
pub(super) struct State(AtomicU8);

/// A state as it was when it was read or changed.
#[derive(Clone, Copy)]
pub(super) struct Snapshot(u8);

impl Snapshot {
    /// The whole check of most tokens.
    #[inline]
    pub(super) fn is_live(self) -> bool {
        self.0 & (CANCELLED | UNARMED | CONDITIONS | COUNTERS) == 0
    }

    /// Whether a check that is not live polls nothing but one condition, one counter, or both.
    #[inline]
    pub(super) fn polls_few(self) -> bool {
        self.0 & (CANCELLED | UNARMED | MANY) == 0
    }

    #[inline]
    pub(super) fn is_cancelled(self) -> bool {
        self.0 & CANCELLED != 0
    }

    /// Whether edges and the deadline must be polled.
    #[inline]
    pub(super) fn is_unarmed(self) -> bool {
        self.0 & (CANCELLED | UNARMED) == UNARMED
    }

    /// Whether there may be waiters.
    pub(super) fn has_waiters(self) -> bool {
        self.0 & WAITERS != 0
    }

    pub(super) fn follows(self) -> bool {
        self.0 & FOLLOWS != 0
    }

    /// Whether checks call conditions or spend counters.
    #[inline]
    pub(super) fn has_polled(self) -> bool {
        self.0 & (CONDITIONS | COUNTERS) != 0
    }

    #[inline]
    pub(super) fn has_conditions(self) -> bool {
        self.0 & CONDITIONS != 0
    }

    #[inline]
    pub(super) fn has_counters(self) -> bool {
        self.0 & COUNTERS != 0
    }
}

impl State {
    /// Makes the state of a new node with that many edges: none, one, or more.
    #[inline]
    pub(super) fn new(edges: usize, has_deadline: bool, polls: Polls) -> Self {
        let unarmed = if edges > 0 || has_deadline {
            UNARMED
        } else {
            0
        };
        let one_edge = if edges == 1 { ONE_EDGE } else { 0 };
        State(AtomicU8::new(unarmed | one_edge | polls.0))
    }

    /// What checks of the node poll.
    pub(super) fn polls(&self) -> Polls {
        // Relaxed: it never changes.
        Polls(self.0.load(Ordering::Relaxed) & (CONDITIONS | COUNTERS | MANY))
    }

    /// [`Snapshot::is_live`] at this moment.
    #[inline]
    pub(super) fn is_live(&self) -> bool {
        self.get_relaxed().is_live()
    }

    /// The whole peek at most tokens, which ignores conditions and counters.
    #[inline]
    pub(super) fn is_pushed(&self) -> bool {
        // Relaxed: as in `get_relaxed`.
        self.0.load(Ordering::Relaxed) & (CANCELLED | UNARMED) == 0
    }

    /// [`State::is_pushed`] of a node whose checks call no conditions.
    #[inline]
    pub(super) fn is_pushed_without_conditions(&self) -> bool {
        // Relaxed: as in `get_relaxed`.
        self.0.load(Ordering::Relaxed) & (CANCELLED | UNARMED | CONDITIONS) == 0
    }

    /// [`State::is_pushed`] of a node whose checks spend counters.
    #[inline]
    pub(super) fn is_pushed_with_counters(&self) -> bool {
        // Relaxed: as in `get_relaxed`.
        self.0.load(Ordering::Relaxed) & (CANCELLED | UNARMED | COUNTERS) == COUNTERS
    }

    /// The state at the start of a check.
    #[inline]
    pub(super) fn get_relaxed(&self) -> Snapshot {
        // Relaxed: it leads only to the answer "not cancelled", which carries no data. A state that is cancelled or
        // unarmed is read again.
        Snapshot(self.0.load(Ordering::Relaxed))
    }

    #[inline]
    pub(super) fn get(&self) -> Snapshot {
        // Acquire: pairs with the release in `cancel` and `follow`. It makes visible the cause (invariant 1), and what
        // the canceller wrote before cancelling.
        Snapshot(self.0.load(Ordering::Acquire))
    }

    pub(super) fn has_one_edge(&self) -> bool {
        // Relaxed: it never changes.
        self.0.load(Ordering::Relaxed) & ONE_EDGE != 0
    }

    #[inline]
    pub(super) fn has_conditions(&self) -> bool {
        // Relaxed: it never changes.
        self.0.load(Ordering::Relaxed) & CONDITIONS != 0
    }

    /// Marks the node as armed. A cancelled node stays as it is. Requires the lock of the waiters.
    pub(super) fn arm(&self) {
        self.change(UNARMED, 0);
    }

    /// Publishes the cause that is set. Returns the state before.
    ///
    /// This, [`State::follow`] and [`State::announce`] are read-modify-writes, so that all threads agree on their
    /// order.
    pub(super) fn cancel(&self) -> Snapshot {
        // Release: pairs with the acquire in `get`.
        Snapshot(self.0.fetch_or(CANCELLED, Ordering::Release))
    }

    /// Makes the cause of the one edge the node's, unless the node is cancelled. Returns the state before.
    pub(super) fn follow(&self) -> Snapshot {
        // Release: see `cancel`; it publishes the edge's cause once more. Relaxed on failure: code that uses the other
        // cause reads the state again.
        let before = self
            .0
            .fetch_update(Ordering::Release, Ordering::Relaxed, |state| {
                (!Snapshot(state).is_cancelled()).then_some(state | CANCELLED | FOLLOWS)
            });
        Snapshot(before.unwrap_or_else(|unchanged| unchanged))
    }

    /// Announces a waiter to cancellers (invariant 3). `false` if the node is cancelled. Requires the lock of the
    /// waiters.
    #[inline]
    pub(super) fn announce(&self) -> bool {
        self.change(0, WAITERS)
    }

    /// Announces a guard to the drop of the node, even if the node is cancelled.
    pub(super) fn announce_guard(&self) {
        // Relaxed: the drop has the only reference.
        self.0.fetch_or(WAITERS, Ordering::Relaxed);
    }

    /// [`State::arm`] and [`State::announce`].
    pub(super) fn arm_and_announce(&self) -> bool {
        self.change(UNARMED, WAITERS)
    }

    /// Clears and sets bits that change only under the lock of the waiters. `false` if the node is cancelled.
    #[inline]
    fn change(&self, clear: u8, set: u8) -> bool {
        // Relaxed, here and below. For a waiter: a canceller that finds it announced takes the lock; any other has
        // changed the state before, which is seen here. For arming: a canceller of a source finds the link, which is in
        // place by now, under the lock of that source's waiters.
        let before = self.0.load(Ordering::Relaxed);
        let different = (before & clear) | (!before & set);
        if different == 0 || before & CANCELLED != 0 {
            return before & CANCELLED == 0;
        }
        !Snapshot(self.0.fetch_xor(different, Ordering::Relaxed)).is_cancelled()
    }

    /// Whether there may be waiters.
    pub(super) fn has_waiters(&self) -> bool {
        // Relaxed: see the callers.
        Snapshot(self.0.load(Ordering::Relaxed)).has_waiters()
    }
}
