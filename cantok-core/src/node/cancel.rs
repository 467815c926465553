//! Cancelling: a work list instead of recursion, help instead of waiting, and user code only at the end.

use super::addresses::Addresses;
use super::fired::{Fired, Found};
use super::sources::Depth;
use super::state::Snapshot;
use super::waiters::Below;
use super::{Body, Jobs, Kind, Node};
use crate::clock;
use crate::sync::{Arc, Ordering, fence};
use crate::{CancellationError, Cause};

/// A walk through everything that is linked below a node.
#[derive(Default)]
struct Walk {
    jobs: Jobs,
    /// Nodes with links, and the key from which their links have yet to be followed.
    open: Vec<(Arc<Node>, u32)>,
    /// Nodes whose links have all been followed.
    done: Vec<Arc<Node>>,
    /// The nodes that are, or were, in one of the two lists. The lists keep them alive, so no address is reused.
    visited: Addresses,
}

impl Walk {
    /// Marks a node with a cause, or with an earlier one among its sources (invariant 5). Returns whether this call made
    /// `fired` the cause.
    fn mark(&mut self, node: &Arc<Node>, fired: Fired, depth: Depth) -> bool {
        let state = node.state.get();
        if state.is_cancelled() {
            self.jobs.drop_late(fired);
            if state.has_waiters() {
                self.visit(node, false);
            }
            return false;
        }
        let at = fired.moment();
        let earlier = match node.find(depth, at) {
            Some(Found::Error(earlier)) if earlier.moment() < at => Some(earlier.clone()),
            Some(Found::Fired(leaf)) => {
                self.mark_leaf(leaf, leaf.fires());
                leaf.error_for(node).cloned()
            }
            Some(Found::Error(_)) | None => return self.mark_leaf(node, fired),
        };
        self.jobs.drop_late(fired);
        if let Some(earlier) = earlier {
            self.mark_leaf(node, earlier.into());
        }
        false
    }

    /// Marks a node with that cause. Returns whether this call made it the cause.
    #[inline(always)]
    fn mark_leaf(&mut self, node: &Arc<Node>, fired: Fired) -> bool {
        let (won, before) = self.set_cause(node, fired);
        if before.has_waiters() {
            self.visit(node, won);
        }
        won
    }

    /// [`Walk::mark_leaf`] of a token without sources whose `cancel` was called. If a thread is its only waiter, this
    /// wakes it at once: nothing is left to be marked. The path is short because the code of a cancel is rarely cached.
    #[inline(always)]
    fn mark_first(&mut self, node: &Arc<Node>, fired: Fired) -> bool {
        let (won, before) = self.set_cause(node, fired);
        if before.has_waiters() && !(won && node.wake_thread()) {
            self.visit(node, won);
        }
        won
    }

    /// Sets the cause and the state, and returns the state before. Always inlined, so that the cause is moved in
    /// registers.
    #[inline(always)]
    fn set_cause(&mut self, node: &Arc<Node>, fired: Fired) -> (bool, Snapshot) {
        // The cause is published (release) before the state. A thread that comes too late acquires it (invariant 1).
        let late = node.cause.set(fired).err();
        let is_first = late.is_none();
        if let Some(late) = late {
            self.jobs.drop_late(late);
        }
        // A thread that lost the cause also writes the state: the winner may not have done so yet, and the caller
        // relies on it. The lost `set` has acquired the cause.
        let before = node.state.cancel();
        (is_first && !before.follows(), before)
    }

    /// Takes the waiters of a marked node, if this thread has marked it, and queues its links.
    #[inline(never)]
    fn visit(&mut self, node: &Arc<Node>, won: bool) {
        if won {
            if !node.notify(&mut self.jobs) {
                return node.complete();
            }
        } else if node.is_complete() {
            return;
        }
        if self.visited.insert(node.address(), 0) {
            self.open.push((Arc::clone(node), 0));
        }
    }

    /// Follows the links of the visited nodes, of those below them, and so on. `fired` is the token at which this
    /// began; `has_fired` says whether it fired.
    #[inline]
    fn finish(mut self, fired: &Arc<Node>, has_fired: bool) -> Jobs {
        if !self.open.is_empty() {
            self.follow_links();
        }
        #[cfg(feature = "tracing")]
        if let Some(error) = fired.error().filter(|_| has_fired) {
            self.jobs.trace(error);
        }
        #[cfg(not(feature = "tracing"))]
        let _ = (fired, has_fired);
        self.jobs
    }

    fn follow_links(&mut self) {
        let mut batch = Vec::new();
        let mut marked = Vec::new();
        while let Some((node, from)) = self.open.pop() {
            match node.links(from, &mut batch, &mut self.jobs) {
                Some(next) => self.open.push((Arc::clone(&node), next)),
                None => self.done.push(Arc::clone(&node)),
            }
            for Below {
                node: below,
                key,
                followed,
            } in batch.drain(..)
            {
                if let Some(before) = followed {
                    if before.has_waiters() {
                        self.visit(&below, !before.is_cancelled());
                    }
                } else if let Some(error) = node.error() {
                    self.mark(&below, error.clone().into(), Depth::Unarmed);
                }
                // Otherwise it was visited, now or on another path, and its own links are yet to be followed.
                if below.is_complete() {
                    marked.push(key);
                }
                self.jobs.release(below);
            }
            // At once, while the nodes are in the cache.
            node.remove_links(&mut marked, &mut self.jobs);
        }
        while let Some(node) = self.done.pop() {
            node.remove_all_links(&mut self.jobs);
            node.complete();
            self.jobs.release(node);
        }
    }
}

impl Node {
    /// Marks a node whose one edge is cancelled. Cheaper than [`Walk::mark`] by half. Returns the state before.
    ///
    /// The edge does not follow another one, since it has no edge itself, or more than `LIMIT`. So the cause is found
    /// in one step.
    #[inline]
    pub(super) fn follow(&self) -> Snapshot {
        debug_assert!(
            self.edges()
                .iter()
                .all(|edge| !edge.node.state.get().follows())
        );
        self.state.follow()
    }

    /// Cancels the token, unless it or a source is cancelled or a deadline has passed; that cause then stays. Returns
    /// whether it did, and the jobs that are left. When this returns, everything below is marked.
    pub(crate) fn cancel(self: &Arc<Self>, cause: Cause) -> (bool, Jobs) {
        Node::link_rest();
        // Acquire: as in `cancellation`.
        fence(Ordering::Acquire);
        let mut walk = Walk::default();
        let mut won = false;
        if self.kind != Kind::Never && !self.is_marked() {
            let fired = self.called(cause);
            won = match self.body {
                Body::Plain => walk.mark_first(self, fired),
                _ => walk.mark(self, fired, Depth::Any),
            };
        } else {
            if matches!(cause, Cause::Reason(_)) {
                // With the jobs, since the drop of a reason is user code.
                let late = CancellationError::new(cause, None, self.address(), clock::moment());
                walk.jobs.drop_late(late.into());
            }
            if self.state.has_waiters() && self.kind != Kind::Never {
                walk.visit(self, false);
            }
        }
        (won, walk.finish(self, won))
    }

    /// Marks `leaf`, a source whose condition is satisfied or whose counter has refused a check, and this node. Runs
    /// user code. Always returns `true`.
    #[cold]
    pub(super) fn fire(self: &Arc<Self>, leaf: &Arc<Node>) -> bool {
        self.mark_found(Found::Fired(leaf)).run();
        true
    }

    /// Marks this node because of what was found. Runs user code. Always returns `true`.
    #[cold]
    pub(super) fn latch(self: &Arc<Self>, found: Found<'_>) -> bool {
        self.mark_found(found).run();
        true
    }

    /// Marks this node because of another node's error.
    pub(super) fn mark_with(self: &Arc<Self>, error: &CancellationError) -> Jobs {
        self.mark_found(Found::Error(error))
    }

    /// The error of a cancelled leaf, for another node than itself.
    fn error_for(self: &Arc<Self>, node: &Arc<Node>) -> Option<&CancellationError> {
        // Only now, since it may be made.
        if Arc::ptr_eq(self, node) {
            None
        } else {
            self.error()
        }
    }

    pub(super) fn mark_found(self: &Arc<Self>, found: Found<'_>) -> Jobs {
        self.mark_found_with(found, Jobs::default())
    }

    /// [`Node::mark_found`] that adds to other jobs.
    pub(super) fn mark_found_with(self: &Arc<Self>, found: Found<'_>, jobs: Jobs) -> Jobs {
        let mut walk = Walk {
            jobs,
            ..Walk::default()
        };
        match found {
            Found::Error(error) => {
                walk.mark(self, error.clone().into(), Depth::Unarmed);
                walk.finish(self, false)
            }
            Found::Fired(leaf) => {
                let won = walk.mark_leaf(leaf, leaf.fires());
                if let Some(error) = leaf.error_for(self) {
                    walk.mark(self, error.clone().into(), Depth::Unarmed);
                }
                walk.finish(leaf, won)
            }
        }
    }

    /// Records that everything below this node is marked and it has no links (invariant 4).
    pub(super) fn complete(&self) {
        // Release: pairs with the acquire in `is_complete`. A canceller that sees it skips the links below. One that
        // misses it follows the few that are left, which changes nothing.
        self.is_complete.store(true, Ordering::Release);
    }

    /// Whether everything below this cancelled node is marked.
    pub(super) fn is_complete(&self) -> bool {
        // Acquire: see `complete`.
        !self.state.has_waiters() || self.is_complete.load(Ordering::Acquire)
    }
}
