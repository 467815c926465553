//! What every handle points to. The handles in [`crate::token`] and [`crate::tokens`] are thin; all logic is here.
//!
//! A typed token is a node of its own. A child or a sum is a node with *edges* to the nodes that it watches. Creating
//! a node registers it nowhere, so `cancel()` of a root does not depend on how many nodes derive from it and merely
//! check. A node that is checked often or has a waiter *arms* itself: it registers a link with each edge and hands its
//! deadline to the timer. From then on cancellation is pushed to it.
//!
//! # Invariants
//!
//! 1. **The cause comes before the state.** The cause of a node is the error in its `cause`, or, if its state says that
//!    it *follows*, the one in the `cause` of its only edge. That cell is filled before the state becomes cancelled, by
//!    one read-modify-write, and neither changes again.
//! 2. **What is not polled is pushed.** The state is not *unarmed* only if the deadline is with the timer, and each edge
//!    has a link in the waiters of its node, but for one that nothing else can cancel. A node is not armed if one of its
//!    edges is cancelled: the next check finds that edge. A deadline that moves stays with its own node, which is armed
//!    before what derives from it: the timer rings at the old deadline and sets the alarm again.
//! 3. **No wake-up is lost.** A waiter is inserted into `waiters` under their lock, after it was announced in the state
//!    by a read-modify-write that found no cancel there. The read-modify-write that cancels finds the announcement,
//!    and its thread then takes the lock. So either the canceller finds the waiter, or the waiter finds the cancel.
//! 4. **Everything below is marked.** A canceller returns only after it has followed every link below its node, itself
//!    or by finding that another canceller is done (`is_settled`). A link goes only with its node, or when all below
//!    that is marked.
//! 5. **The first cause in time wins.** Before a node is marked its edges and its deadline are asked, and the earliest
//!    cause is taken. A node with one edge and no deadline needs no asking: it follows. A deadline that moves is asked by
//!    making it expire, so that what was taken for passed cannot be put off any more; but for those of armed nodes that
//!    are watched alone, which are left to the timer unless a user asks ([`Depth`](sources::Depth)).
//! 6. **All marking precedes all user code.** Callbacks, wake-ups and the drop of users' values are collected in
//!    [`Jobs`], which run when no lock is held.
//! 7. **Locks nest from derived to source.** The lock of a node's waiters may be held while those of its edges and a
//!    shard of the timer are taken, one at a time; nothing else nests in it. No user code runs under a lock. The lock
//!    of a condition's `watch` may be held while the queue of the background thread is taken.
//! 8. **Edges own.** A node owns the nodes that it watches and is known to them and to the timer only weakly, so there
//!    are no cycles. With two exceptions, for detached callbacks: a node that cancels by itself owns itself until then,
//!    and what is left of another one when it is dropped, without edges, is owned by the nodes that it watched. (What is
//!    left of a delayed node is owned by a detached callback of the node that it watched.)
//! 9. **Units are free, held or spent.** A check for many items holds units until its items have passed, and gives back
//!    the rest. Every change of the number that is not free is one read-modify-write, so no unit has two owners. A check
//!    is refused only if none is free; it cancels, and from then on nothing is given back. So no refusal is undone.

mod addresses;
mod arm;
mod cancel;
mod check;
mod compose;
mod delayed;
mod drop;
mod edges;
mod jobs;
mod label;
mod peek;
mod polling;
mod rest;
mod show;
mod sources;
mod state;
mod waiters;

pub(crate) use arm::start_timer_here;
pub(crate) use jobs::Jobs;
pub(crate) use sources::Body;
pub(crate) use waiters::{Callback, Waiter};

use crate::CancellationError;
use crate::sync::{Arc, AtomicBool, AtomicU8, AtomicU64, Mutex, OnceLock, Ordering, Weak};
use label::Label;
use state::{Polls, State};
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::time::Instant;
use waiters::Waiters;

/// Which handle a node was made for. It decides how the node is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Never,
    Simple,
    Condition,
    Timeout,
    Counter,
    Idle,
    Delayed,
    Sum,
}

/// See the module's documentation.
///
/// The order of the fields is part of the design. Reference counts stand before the node in its allocation and are
/// written by every clone and drop of a handle; the lock beside them is written by every waiter. The state, which every
/// check reads, lies more than a cache line away from both, beside what a canceller needs.
#[repr(C)]
pub(crate) struct Node {
    waiters: Mutex<Waiters>,
    label: OnceLock<Box<Label>>,
    body: Body,

    /// The earliest one that does not move, those of edges included. That of a counter without units: its creation.
    deadline: Option<Instant>,
    cause: OnceLock<CancellationError>,
    /// What the timer has of this node: an alarm that has yet to ring, or 0. Written under the lock of `waiters`.
    alarm: AtomicU64,

    state: State,
    kind: Kind,
    /// Nothing is left to be marked below this cancelled node, and it has no links any more.
    is_settled: AtomicBool,
    /// Slow checks since the last attempt to arm. Increments may be lost between threads.
    checks: AtomicU8,
    /// A [`WeakToken`](crate::adapter::WeakToken) was made, which may become a handle at any moment.
    is_downgraded: AtomicBool,
    /// There are deadlines that move: this node's or those of edges.
    moves: bool,
}

#[cfg(all(not(cantok_loom), target_pointer_width = "64"))]
const _: () = {
    let line = 64;
    // `waiters` come first, with the reference counts before them.
    assert!(std::mem::offset_of!(Node, state) >= size_of::<Mutex<Waiters>>() + line);
};

// A node's own state changes only by single atomic operations and under locks that no user code runs under, so a panic
// in user code cannot leave it half changed. Users' closures are not unwind-safe by type; a panicking condition leaves
// the token usable by contract, and what the closure captured is its author's concern.
impl UnwindSafe for Node {}
impl RefUnwindSafe for Node {}

impl Node {
    /// A node that only a call cancels, if anything does.
    #[inline]
    pub(crate) fn flag(kind: Kind) -> Arc<Self> {
        let state = State::new(0, false, Polls::default());
        Arc::new(Node::new(kind, Body::Plain, None, state, false))
    }

    /// The node of another typed token.
    #[inline]
    pub(crate) fn leaf(kind: Kind, body: Body, deadline: Option<Instant>) -> Arc<Self> {
        Node::link_rest();
        let polls = match body {
            Body::Condition(_) => Polls::CONDITION,
            Body::Counter(_) => Polls::COUNTER,
            _ => Polls::default(),
        };
        let moves = match &body {
            Body::Idle(idle) => idle.deadline.get().is_some(),
            Body::Delayed(_) => true,
            _ => false,
        };
        let state = State::new(0, deadline.is_some() || moves, polls);
        Arc::new(Node::new(kind, body, deadline, state, moves))
    }

    #[inline]
    fn new(kind: Kind, body: Body, deadline: Option<Instant>, state: State, moves: bool) -> Self {
        Node {
            waiters: Mutex::default(),
            label: OnceLock::new(),
            body,
            deadline,
            cause: OnceLock::new(),
            alarm: AtomicU64::new(0),
            state,
            kind,
            is_settled: AtomicBool::new(false),
            checks: AtomicU8::new(0),
            is_downgraded: AtomicBool::new(false),
            moves,
        }
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// For a [`WeakToken`](crate::adapter::WeakToken). The weak references of the timer and of links become a handle
    /// only to mark the node.
    pub(crate) fn downgrade(self: &Arc<Self>) -> Weak<Self> {
        // Relaxed: published by the release with which this handle is dropped, see `Composer::add`.
        self.is_downgraded.store(true, Ordering::Relaxed);
        Arc::downgrade(self)
    }

    /// The earliest deadline at this moment, but for that of counters.
    pub(crate) fn deadline(self: &Arc<Self>) -> Option<Instant> {
        self.earliest_deadline()
            .filter(|_| self.kind != Kind::Counter)
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
        let holder = match self.edges() {
            [edge, ..] if state.follows() => &*edge.node,
            _ => self,
        };
        holder.cause.get()
    }
}
