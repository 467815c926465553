//! A node's state: one byte, of which most checks read nothing else.

use super::{Kind, Sources};
use crate::sync::{AtomicU8, Ordering};

/// Where a node stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Nothing to poll: not cancelled as long as nobody says so.
    Live,
    /// Every source has to be polled.
    Unarmed,
    /// Flags and deadline are pushed; conditions and counters have to be polled.
    Armed,
    /// Cancelled, with a cause, for good.
    Cancelled,
}

// What changes. One bit each, so that one instruction tells whether there is any of some of them.

/// Cancelled, whatever else is set.
const CANCELLED: u8 = 1;
/// There are flags or deadlines that do not push yet.
const UNARMED: u8 = 2;
/// Somebody has subscribed, or attached something, since the node was made.
const SUBSCRIBED: u8 = 4;
/// Somebody is about to give the node a cause of its own, so it will not follow.
const CLAIMED: u8 = 8;
/// The node's cause is that of its one flag, which has one of its own.
const FOLLOWS: u8 = 16;

// What does not.

/// The node has conditions or counters.
const POLLS: u8 = 32;
/// The node watches one flag.
const ONE_FLAG: u8 = 64;
/// The node watches a counter that its checks do not spend.
const SPARES: u8 = 128;

/// A [`Phase`], and what a canceller has to know. Together, because a read-modify-write by which the one changes tells
/// the other, and because whoever cancels many nodes pays for every cache line.
pub(super) struct State(AtomicU8);

/// What a state was when it was read, or changed.
#[derive(Clone, Copy)]
pub(super) struct Snapshot(u8);

impl Snapshot {
    #[inline]
    pub(super) fn phase(self) -> Phase {
        if self.is_cancelled() {
            Phase::Cancelled
        } else if self.0 & UNARMED != 0 {
            Phase::Unarmed
        } else if self.0 & POLLS != 0 {
            Phase::Armed
        } else {
            Phase::Live
        }
    }

    /// Whether somebody may have subscribed.
    pub(super) fn is_subscribed(self) -> bool {
        self.0 & SUBSCRIBED != 0
    }

    /// Whether the node's cause is that of its one flag.
    pub(super) fn follows(self) -> bool {
        self.0 & FOLLOWS != 0
    }

    /// Whether the node will have a cause of its own.
    pub(super) fn is_claimed(self) -> bool {
        self.0 & CLAIMED != 0
    }

    #[inline]
    pub(super) fn is_cancelled(self) -> bool {
        self.0 & CANCELLED != 0
    }

    /// Whether a check of a node that is not live, and has no more than one condition and one counter, has to ask those
    /// and nothing else.
    #[inline]
    pub(super) fn is_plainly_armed(self) -> bool {
        self.0 & (CANCELLED | UNARMED | SPARES) == 0
    }
}

impl State {
    /// The state of a new node that watches these sources.
    pub(super) fn new(kind: Kind, sources: &Sources) -> Self {
        let flags = sources.flags.as_slice();
        let mut state = 0;
        if !flags.is_empty() || sources.earliest().is_some() {
            state |= UNARMED;
        }
        if flags.len() == 1 {
            state |= ONE_FLAG;
        }
        if sources.has_polled() {
            state |= POLLS;
            if sources.has_counter_spared_by(kind) {
                state |= SPARES;
            }
        }
        State(AtomicU8::new(state))
    }

    /// Whether the node has conditions or counters.
    pub(super) fn polls(&self) -> bool {
        // Relaxed: it never changes.
        self.0.load(Ordering::Relaxed) & POLLS != 0
    }

    /// All that a check of most tokens does.
    #[inline]
    pub(super) fn is_live(&self) -> bool {
        // Relaxed: the common answer, "not cancelled", carries no data. Every other answer reads the state again.
        self.0.load(Ordering::Relaxed) & (CANCELLED | UNARMED | POLLS) == 0
    }

    /// All that a look by [`Token::looks_cancelled`](crate::Token::looks_cancelled) does at most tokens: conditions and
    /// counters do not concern it.
    #[inline]
    pub(super) fn is_pushed(&self) -> bool {
        // Relaxed: as in `is_live`.
        self.0.load(Ordering::Relaxed) & (CANCELLED | UNARMED) == 0
    }

    #[inline]
    pub(super) fn get(&self) -> Snapshot {
        // Acquire: pairs with the release in `cancel` and `follow`, so that the cause (invariant 1), and whatever the
        // canceller wrote before cancelling, is visible.
        Snapshot(self.0.load(Ordering::Acquire))
    }

    #[inline]
    pub(super) fn phase(&self) -> Phase {
        self.get().phase()
    }

    /// From [`Phase::Unarmed`] to [`Phase::Armed`] or [`Phase::Live`]. A node that is cancelled stays so.
    pub(super) fn arm(&self) {
        // Relaxed: a check that sees the change skips polling because of registrations that are in lists by now;
        // whoever cancels a source finds them there under the lists' locks, and marks this node.
        self.0.fetch_and(!UNARMED, Ordering::Relaxed);
    }

    /// Publishes the cause that is set. Returns what was before.
    ///
    /// This, [`State::claim`], [`State::follow`] and [`State::announce`] are read-modify-writes, so that they have one
    /// order in everybody's eyes.
    pub(super) fn cancel(&self) -> Snapshot {
        // Release: pairs with the acquire in `get`.
        Snapshot(self.0.fetch_or(CANCELLED, Ordering::Release))
    }

    /// Whether [`State::follow`] may be called.
    pub(super) fn has_one_flag(&self) -> bool {
        // Relaxed: it never changes.
        self.0.load(Ordering::Relaxed) & ONE_FLAG != 0
    }

    /// Keeps a node with one flag from following it from now on, and returns whether it follows already. Comes before
    /// the node's cause is set, so that none is set in vain.
    pub(super) fn claim(&self) -> bool {
        // Relaxed: of this and `follow` one comes first and is seen by the other, and that is all that counts.
        Snapshot(self.0.fetch_or(CLAIMED, Ordering::Relaxed)).follows()
    }

    /// Makes the cause of the one flag the node's, unless it has a cause or is claimed. Returns what was before.
    pub(super) fn follow(&self) -> Snapshot {
        // Release: see `cancel`; the flag's cause is published once more. Relaxed when it fails: whoever relies on the
        // other cause reads the state again.
        let before = self
            .0
            .fetch_update(Ordering::Release, Ordering::Relaxed, |state| {
                let before = Snapshot(state);
                (!before.is_cancelled() && !before.is_claimed())
                    .then_some(state | CANCELLED | FOLLOWS)
            });
        Snapshot(before.unwrap_or_else(|unchanged| unchanged))
    }

    /// Announces a subscriber to cancellers. `false`: it comes too late. Under the lock of the subscribers, see
    /// invariant 3.
    pub(super) fn announce(&self) -> bool {
        // Relaxed, here and below: the lock orders this with cancellers that look for subscribers. Those that do not
        // have changed the state before it is changed here, and that change is seen.
        let state = Snapshot(self.0.load(Ordering::Relaxed));
        if state.is_subscribed() || state.is_cancelled() {
            return !state.is_cancelled();
        }
        !Snapshot(self.0.fetch_or(SUBSCRIBED, Ordering::Relaxed)).is_cancelled()
    }

    /// Whether a subscriber was announced.
    pub(super) fn is_subscribed(&self) -> bool {
        // Relaxed: see who asks.
        Snapshot(self.0.load(Ordering::Relaxed)).is_subscribed()
    }
}
