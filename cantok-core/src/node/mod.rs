//! What every handle points to. The handles in [`crate::token`] and [`crate::tokens`] are thin; all logic is here, but for
//! `crate::delayed`, which makes delayed nodes and orphans.
//!
//! A typed token is a node of its own. A child or a sum is a node with *edges* to its sources. Creating a node
//! registers it nowhere, and its checks *poll* the sources and the clock. So cancelling a root costs the same, however
//! many nodes derive from it and only check. A node that is checked often or has a waiter *arms* itself: it registers a
//! link with each source and hands its deadline to the timer. From then on a cancel is *pushed* to it.
//!
//! # Invariants
//!
//! 1. **The cause comes before the state.** The cause of a node is in its `cause`. If its state says that it *follows*,
//!    it is in the `cause` of its only edge. That cell is filled before one read-modify-write makes the state
//!    cancelled. Neither changes again. The error that tells a cause is made at once, or when a caller first asks for
//!    it ([`Fired`]). All callers, and all nodes that are cancelled with this one, get the same error.
//! 2. **What is not polled is pushed.** If the state of a node is not *unarmed*, its deadline is with the timer, and
//!    each source has a link to it among its waiters. A source that only its deadline can cancel needs no link. A node
//!    with a cancelled edge is not armed: the next check finds that edge. A deadline that moves stays with its own
//!    node, which is armed before what derives from it: the timer rings at the old deadline and sets the alarm again.
//! 3. **No wake-up is lost.** A waiter is inserted into `waiters` under their lock. Before that, a read-modify-write
//!    that found no cancel announced it in the state. The read-modify-write that cancels finds the announcement, and
//!    its thread then takes the lock. So either the canceller finds the waiter, or the waiter finds the cancel.
//! 4. **Everything below is marked.** A canceller returns only after every link below its node was followed: by itself,
//!    or by another canceller that has set `is_complete`. A link is removed only with its node, or once everything
//!    below that node is marked.
//! 5. **The first cause in time wins.** Before a node is marked, its edges and its deadline are polled, and the
//!    earliest cause is taken. A node with one edge and no deadline is not polled: it follows. Polling a deadline that
//!    moves makes it expire, so that a passed deadline cannot move any more. Deadlines below an armed node that is
//!    watched as a whole are left to the timer, unless a user's call polls them ([`Depth`](sources::Depth)).
//! 6. **All marking precedes all user code.** Callbacks, wake-ups and the drop of users' values are collected in
//!    [`Jobs`], which run when no lock is held. A thread that is the only waiter of a cancelled token without sources is
//!    woken directly: nothing is left to be marked, and no lock is held.
//! 7. **Locks nest from derived to source.** Under the lock of a node's waiters the locks of its sources' waiters and
//!    of the timer are taken, one at a time, and no others. Under the lock of a source, a canceller that follows its
//!    links only tries the locks of what they lead to. No user code runs under a lock. Under the lock of a condition's
//!    `watch` the lock of the background thread's queue may be taken.
//! 8. **Edges own.** A node owns its sources. They and the timer refer to it only weakly, so there are no cycles.
//!    Detached callbacks make two exceptions. A node that cancels by itself owns itself until then. When another node
//!    is dropped, its sources own its *heir*: a node with its callbacks and without edges. (The heir of a delayed node
//!    is an *orphan*, which a detached callback of its source owns.)
//! 9. **Units are free, held or spent.** A check for many items holds units until its items have passed, and gives back
//!    the rest. Every change of the number of units that are not free is one read-modify-write, so no unit has two
//!    owners. A check is refused only if no unit is free. It then cancels, and from then on nothing is given back. So
//!    no refusal is undone.

mod addresses;
mod arm;
mod cancel;
mod check;
mod closure;
mod compose;
mod delayed;
mod drop;
mod edges;
mod fired;
mod jobs;
mod peek;
mod polling;
mod remains;
mod rest;
mod show;
mod sources;
mod state;
mod waiter;
mod waiters;

pub(crate) use arm::start_timer_here;
pub(crate) use closure::{Condition, condition};
pub(crate) use delayed::Delayed;
pub(crate) use jobs::Jobs;
pub(crate) use rest::{link_callbacks, link_conditions};
pub(crate) use sources::Body;
pub(crate) use waiter::{Callback, Waiter};

use crate::CancellationError;
use crate::sync::{Arc, AtomicBool, AtomicU8, AtomicU64, Mutex, OnceLock, Ordering, Weak};
use fired::{Fired, Label};
use state::{Polls, State};
use std::mem::{forget, replace};
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::time::Instant;
use waiters::Waiters;

/// The handle that a node was made for, which decides how the node is shown.
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

/// A token's state and logic: see the module's documentation.
///
/// The order of the fields is part of the design. The reference counts stand before the node in its allocation and are
/// written by every clone and drop of a handle. The lock beside them is written by every waiter. The state, which every
/// check reads, is more than a cache line away from both, beside what a canceller needs.
#[repr(C)]
pub(crate) struct Node {
    waiters: Mutex<Waiters>,
    label: OnceLock<Box<Label>>,
    body: Body,

    /// The earliest deadline that does not move, including those of edges. For a counter without units: its creation.
    deadline: Option<Instant>,
    cause: OnceLock<Fired>,
    /// The timer's alarm for this node, or 0 if none is set. Written under the lock of `waiters`.
    alarm: AtomicU64,

    state: State,
    kind: Kind,
    /// This cancelled node has no links any more, and everything below it is marked.
    is_complete: AtomicBool,
    /// Slow checks since the last attempt to arm. Threads may lose increments.
    checks: AtomicU8,
    /// A [`WeakToken`](crate::adapter::WeakToken) was made, which may become a handle at any moment.
    is_downgraded: AtomicBool,
    /// Whether deadlines move: this node's or those of edges.
    moves: bool,
}

#[cfg(all(not(cantok_loom), target_pointer_width = "64"))]
const _: () = {
    let line = 64;
    // `waiters` come first, with the reference counts before them.
    assert!(std::mem::offset_of!(Node, state) >= size_of::<Mutex<Waiters>>() + line);
};

// A node changes only by single atomic operations, or under locks that exclude user code. So a panic in user code
// cannot leave it half changed. What a user's closure captured is its author's concern: after its panic the token stays
// usable.
impl UnwindSafe for Node {}
impl RefUnwindSafe for Node {}

impl Default for Node {
    #[inline]
    fn default() -> Self {
        Node::new(Kind::Simple, Body::Plain, None, State::default(), false)
    }
}

impl Node {
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
            is_complete: AtomicBool::new(false),
            checks: AtomicU8::new(0),
            is_downgraded: AtomicBool::new(false),
            moves,
        }
    }

    /// Makes a node that only a call cancels, if anything does.
    #[inline]
    pub(crate) fn flag() -> Arc<Self> {
        Arc::default()
    }

    /// Makes the node of a token that cannot be cancelled.
    pub(crate) fn never() -> Arc<Self> {
        Node::make(Kind::Never, None, State::default(), false, || Body::Plain)
    }

    /// Makes the node of any other typed token. `moves` says whether its deadline moves.
    #[inline(always)]
    pub(crate) fn leaf(
        kind: Kind,
        deadline: Option<Instant>,
        moves: bool,
        body: impl FnOnce() -> Body,
    ) -> Arc<Self> {
        Node::link_rest();
        if moves {
            rest::link_moving();
        }
        let polls = match kind {
            Kind::Condition => Polls::CONDITION,
            Kind::Counter => Polls::COUNTER,
            _ => Polls::default(),
        };
        let state = State::new(0, deadline.is_some() || moves, polls);
        Node::make(kind, deadline, state, moves, body)
    }

    /// Makes a node in place. What is passed to `Arc::new` is put together elsewhere and then copied.
    #[inline(always)]
    fn make(
        kind: Kind,
        deadline: Option<Instant>,
        state: State,
        moves: bool,
        body: impl FnOnce() -> Body,
    ) -> Arc<Self> {
        let mut made = Node::flag();
        if let Some(node) = Arc::get_mut(&mut made) {
            node.deadline = deadline;
            node.state = state;
            node.kind = kind;
            node.moves = moves;
            // The old value owns nothing, so it is not dropped.
            forget(replace(&mut node.body, body()));
        }
        made
    }

    #[inline]
    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// Makes the reference for a [`WeakToken`](crate::adapter::WeakToken). Other weak references, of the timer and of
    /// links, become a handle only to mark the node.
    pub(crate) fn downgrade(self: &Arc<Self>) -> Weak<Self> {
        // Relaxed: published by the release with which this handle is dropped, see `Composer::add`.
        self.is_downgraded.store(true, Ordering::Relaxed);
        Arc::downgrade(self)
    }

    /// The earliest deadline at this moment. For a counter: none.
    pub(crate) fn deadline(self: &Arc<Self>) -> Option<Instant> {
        self.earliest_deadline()
            .filter(|_| self.kind != Kind::Counter)
    }

    #[inline]
    pub(crate) fn is_marked(&self) -> bool {
        self.state.get().is_cancelled()
    }

    /// The error of a marked node.
    pub(crate) fn error(&self) -> Option<&CancellationError> {
        if self.is_marked() {
            self.error_of_marked()
        } else {
            None
        }
    }

    #[inline(never)]
    fn error_of_marked(&self) -> Option<&CancellationError> {
        let holder = match self.edges() {
            [edge, ..] if self.state.get().follows() => &*edge.node,
            _ => self,
        };
        holder.fired()
    }
}
