//! What every handle points to. The handles in [`crate::token`] and [`crate::tokens`] are thin; all logic is here.
//!
//! A node is a flag of its own and a flattened list of *sources* that it watches: other nodes' flags, deadlines,
//! conditions and counters. Creating a node registers it nowhere, so `cancel()` of a root does not depend on how
//! many nodes derive from it and merely poll it. A node that is checked often, waited on, or given a callback
//! *links* itself to its flags and hands its deadline to the timer; from then on cancellation is pushed to it.
//!
//! # Invariants
//!
//! 1. **The cause comes before the state.** `state` becomes [`CANCELLED`] only after `cause` is set, and neither
//!    ever changes again. So whoever sees `CANCELLED` finds a cause, and the first cause wins.
//! 2. **What is not polled is pushed.** `state` is [`LIVE`] or [`ARMED`] only if the node's flags are linked (or it
//!    has none) and its deadline is with the timer (or it has none). A node whose source could not be linked because
//!    it was cancelled already stays [`UNARMED`], and its next check finds that source.
//! 3. **No wake-up is lost.** A subscriber is inserted into `subs` under its lock and only after `state` was seen
//!    not to be `CANCELLED` under the same lock; a canceller writes `CANCELLED` before it takes that lock to look for
//!    subscribers. So either the canceller finds the subscriber or the subscriber finds the cancel.
//! 4. **Everything below is marked, or being marked by the caller.** Links stay in `subs` until `settled` is set,
//!    and `settled` is set by a traversal that has marked everything it could reach from there. A canceller that
//!    meets a node marked by another thread and not settled walks the links below it itself. It never waits.
//! 5. **All marking precedes all user code.** Callbacks, wake-ups and the release of nodes that may be the last
//!    owner of user data are collected in a [`Jobs`](mark::Jobs), which runs when the traversal is over.
//! 6. **Locks nest in one order, and no user code runs under one.** The once-cell `links` is filled while the flags'
//!    `subs` are locked, one at a time; nothing is locked under a `subs` lock. The lock of a condition's `Watch` is
//!    held while the executor's queue is. The timer's lock stands alone.
//! 7. **Edges point from derived to source.** A node owns its sources (`Arc`) and is known to them only weakly, so
//!    there are no cycles, and a source forgets a node when the node is dropped.

mod addresses;
mod alarm;
mod compose;
mod demand;
mod drop;
mod enrolment;
mod few;
mod find;
mod link;
pub(crate) mod mark;
mod show;
mod sources;
mod subscribers;
mod unattended;

pub(crate) use compose::Composer;
pub(crate) use demand::Demand;
pub(crate) use enrolment::Enrolment;
pub(crate) use sources::{Found, Leaf, Leaves, Sources};
pub(crate) use subscribers::Subscriber;

use crate::CancellationError;
use crate::sync::{Arc, AtomicBool, AtomicU8, Mutex, OnceLock, Ordering};
use crate::timer::Alarm;
use link::Links;
use mark::Latched;
use std::panic::{RefUnwindSafe, UnwindSafe};

/// Nothing to poll: not cancelled as long as nobody says so.
pub(crate) const LIVE: u8 = 0;
/// Every source has to be polled.
pub(crate) const UNARMED: u8 = 1;
/// Flags and deadline are pushed; conditions and counters have to be polled.
pub(crate) const ARMED: u8 = 2;
/// Cancelled, with a cause, for good.
pub(crate) const CANCELLED: u8 = 3;

/// Which handle a node was made for. It decides how the node is shown, and what a direct check spends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Never,
    Simple,
    Condition,
    Timeout,
    Counter,
    Sum,
}

/// See the module's documentation.
///
/// The order of the fields is part of the design. Reference counts stand before the node in its allocation and are
/// written by every clone and drop of a handle; the subscribers' lock beside them is written by everyone who waits.
/// The state, which every check reads, lies more than a cache line away from both, and beside what a canceller needs.
#[repr(C)]
pub(crate) struct Node {
    subs: subscribers::Place,
    name: OnceLock<Arc<str>>,
    kind: Kind,
    sources: Sources,

    state: AtomicU8,
    settled: AtomicBool,
    /// Slow checks since the last attempt to arm; increments may be lost between threads.
    checks: AtomicU8,

    cause: OnceLock<Latched>,
    links: OnceLock<Box<Links>>,
    alarm: OnceLock<Box<Alarm>>,
}

// A node's own state is changed only by single atomic operations and under locks that no user code runs under, so a
// panic in user code cannot leave it half changed. User closures inside are `Fn` and are not unwind-safe by type;
// a panicking condition leaves the token usable by contract, and what the closure captured is its author's concern.
impl UnwindSafe for Node {}
impl RefUnwindSafe for Node {}

impl Node {
    pub(crate) fn new(kind: Kind, sources: Sources) -> Self {
        let state = if sources.flags.is_empty() && sources.earliest().is_none() {
            if sources.has_polled() { ARMED } else { LIVE }
        } else {
            UNARMED
        };
        Node {
            name: OnceLock::new(),
            kind,
            sources,
            state: AtomicU8::new(state),
            settled: AtomicBool::new(false),
            checks: AtomicU8::new(0),
            cause: OnceLock::new(),
            links: OnceLock::new(),
            alarm: OnceLock::new(),
            subs: Mutex::new(None),
        }
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    pub(crate) fn sources(&self) -> &Sources {
        &self.sources
    }

    pub(crate) fn name(&self) -> Option<&Arc<str>> {
        self.name.get()
    }

    /// The first name stays.
    pub(crate) fn set_name(&self, name: Arc<str>) {
        let _ = self.name.set(name);
    }

    pub(crate) fn is_marked(&self) -> bool {
        // Acquire: pairs with the release in `mark`, so that the cause (invariant 1), and whatever the canceller
        // wrote before cancelling, is visible.
        self.state.load(Ordering::Acquire) == CANCELLED
    }

    /// The error of a node that is marked.
    pub(crate) fn error(&self) -> Option<&CancellationError> {
        if self.is_marked() {
            self.cause.get().map(|latched| &latched.error)
        } else {
            None
        }
    }
}
