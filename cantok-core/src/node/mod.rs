//! What every handle points to. The handles in [`crate::token`] and [`crate::tokens`] are thin; all logic is here.
//!
//! A node is a flag of its own and a flattened list of *sources* that it watches: other nodes' flags, deadlines,
//! conditions and counters. Creating a node registers it nowhere, so `cancel()` of a root does not depend on how
//! many nodes derive from it and merely poll it. A node that is checked often, waited on, or given a callback
//! *links* itself to its flags and hands its deadline to the timer; from then on cancellation is pushed to it.
//!
//! # Invariants
//!
//! 1. **The cause comes before the state.** A node's cause is the error in its `cause` cell or, if its state says that
//!    it *follows*, the one in the cell of its only flag. The state becomes
//!    [`Phase::Cancelled`](state::Phase::Cancelled) by one read-modify-write, after that cell was filled, and neither
//!    changes again. So whoever sees it finds a cause, and the first cause wins. A node that might follow is claimed
//!    before its own cell is filled, and a claimed node does not follow: no cell is filled in vain, and a reason that
//!    comes too late is not kept.
//! 2. **What is not polled is pushed.** The phase is [`Phase::Live`](state::Phase::Live) or
//!    [`Phase::Armed`](state::Phase::Armed) only if the node's flags are linked (or it has none) and its deadline is
//!    with the timer (or it has none). A node whose source could not be linked because it was cancelled already stays
//!    [`Phase::Unarmed`](state::Phase::Unarmed), and its next check finds that source.
//! 3. **No wake-up is lost.** A subscriber is inserted into `subs` under its lock, once it is announced in the state by
//!    a read-modify-write that found no cancel there; later ones look at the state under the same lock. A canceller
//!    that finds somebody announced, in the read-modify-write by which it cancels, takes that lock to look for
//!    subscribers. So either the canceller finds the subscriber or the subscriber finds the cancel.
//! 4. **Everything below is marked, or being marked by the caller.** A link stays in `subs` until the linked node is
//!    dropped, or cancelled with nothing left to be marked below it. `settled` is set by a traversal that has marked
//!    everything it could reach from there and has removed the links; a node that nobody has subscribed to needs none. A
//!    canceller that meets a node marked by another thread and not settled walks the links below it itself. It never
//!    waits.
//! 5. **All marking precedes all user code.** Callbacks, wake-ups and the release of nodes that may be the last
//!    owner of user data are collected in a [`Jobs`], which runs when the traversal is over.
//! 6. **Locks nest in one order, and no user code runs under one.** A flag's `subs` are locked while its once-cell
//!    `slot` is being filled; nothing is locked under a `subs` lock. The lock of a condition's `Watch` is
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
mod state;
mod subscribers;
mod unattended;

pub(crate) use compose::Composer;
pub(crate) use demand::Demand;
pub(crate) use enrolment::Enrolment;
pub(crate) use mark::Jobs;
pub(crate) use sources::{Found, Leaf, Leaves, Sources};
pub(crate) use subscribers::Subscriber;

use crate::CancellationError;
use crate::sync::{Arc, AtomicBool, AtomicU8, Mutex, OnceLock, Ordering, Weak};
use mark::Latched;
use state::State;
use std::panic::{RefUnwindSafe, UnwindSafe};
use subscribers::Subscribers;

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
    subs: Mutex<Subscribers>,
    name: OnceLock<Arc<str>>,
    sources: Sources,

    kind: Kind,
    state: State,
    settled: AtomicBool,
    /// Slow checks since the last attempt to arm; increments may be lost between threads.
    checks: AtomicU8,
    /// Somebody has, or has had, a weak reference that becomes a handle at any moment.
    downgraded: AtomicBool,

    cause: OnceLock<Latched>,
}

#[cfg(not(loom))]
const _: () = {
    let line = 64;
    // `subs` is first, with the reference counts before it.
    let end_of_subs = std::mem::offset_of!(Node, subs) + size_of::<Mutex<Subscribers>>();
    assert!(std::mem::offset_of!(Node, state) >= end_of_subs + line);
};

// A node's own state is changed only by single atomic operations and under locks that no user code runs under, so a
// panic in user code cannot leave it half changed. User closures inside are `Fn` and are not unwind-safe by type;
// a panicking condition leaves the token usable by contract, and what the closure captured is its author's concern.
impl UnwindSafe for Node {}
impl RefUnwindSafe for Node {}

impl Node {
    pub(crate) fn new(kind: Kind, sources: Sources) -> Self {
        Node {
            name: OnceLock::new(),
            kind,
            state: State::new(kind, &sources),
            sources,
            settled: AtomicBool::new(false),
            checks: AtomicU8::new(0),
            downgraded: AtomicBool::new(false),
            cause: OnceLock::new(),
            subs: Mutex::default(),
        }
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// For a [`WeakToken`](crate::WeakToken). The weak references of the timer and of links become a handle only to mark
    /// the node.
    pub(crate) fn downgrade(self: &Arc<Self>) -> Weak<Self> {
        // Relaxed: published by the release with which this handle is dropped, see `Composer::add`.
        self.downgraded.store(true, Ordering::Relaxed);
        Arc::downgrade(self)
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
        self.state.get().is_cancelled()
    }

    /// The error of a node that is marked.
    pub(crate) fn error(&self) -> Option<&CancellationError> {
        let state = self.state.get();
        if !state.is_cancelled() {
            return None;
        }
        let holder = match self.sources.flags.as_slice().first() {
            Some(flag) if state.follows() => &flag.node,
            _ => self,
        };
        holder.cause.get().map(|latched| &latched.error)
    }
}
