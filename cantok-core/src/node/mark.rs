//! Cancelling: a work list instead of recursion, help instead of waiting, and user code only at the end.

use super::addresses::{Addresses, address};
use super::{CANCELLED, Demand, Node};
use crate::CancellationError;
use crate::callback::{Callback, Panic};
use crate::parker::Parker;
use crate::sync::{Arc, Ordering, ThreadKey};

/// The cause of a cancelled node.
pub(super) struct Latched {
    pub(super) error: CancellationError,
    /// The thread that cancelled the node and has yet to walk what is below it, as long as it is not settled.
    marker: ThreadKey,
}

/// What a traversal leaves to be done when no lock is held and everything is marked (invariant 5).
#[derive(Default)]
pub(crate) struct Jobs {
    threads: Vec<Arc<Parker>>,
    callbacks: Vec<(Arc<Callback>, CancellationError)>,
    /// Nodes that were visited. The last handle may have gone meanwhile, and dropping them may drop closures.
    visited: Vec<Arc<Node>>,
    /// Errors that came too late, with reasons in them that may be the user's.
    too_late: Vec<CancellationError>,
}

/// Cancels `root` and all nodes that are linked below it. Tells whether `root` was not cancelled before. When this
/// returns everything below is marked, whoever marked it.
pub(crate) fn mark(root: &Arc<Node>, error: CancellationError) -> (bool, Jobs) {
    let me = ThreadKey::current();
    let mut jobs = Jobs::default();
    let mut helped = Addresses::default();
    let mut pending = vec![(Arc::clone(root), error)];
    let mut won_root = None;
    while let Some((node, error)) = pending.pop() {
        let latched = Latched { error, marker: me };
        // Published (release) before the state, and acquired by whoever comes too late (invariant 1).
        let lost = node.cause.set(latched).err();
        let won = lost.is_none();
        won_root.get_or_insert(won);
        jobs.too_late.extend(lost.map(|latched| latched.error));
        // Release: pairs with the acquire in `Node::is_marked`. Whoever lost the cause writes the state as well,
        // because the winner may not have come to it yet and the caller relies on it; the cause that it found there
        // was acquired with it. A read-modify-write, so that this and the one that arms have one order in everybody's
        // eyes.
        node.state.swap(CANCELLED, Ordering::Release);
        if won || !node.is_walked_by(me) && helped.insert(address(&node)) {
            let scan = node.scan(won);
            if let Some(Latched { error, .. }) = node.cause.get() {
                pending.extend(scan.links.into_iter().map(|node| (node, error.clone())));
                let told = scan.callbacks.into_iter();
                Demand {
                    threads: scan.threads.len(),
                    callbacks: told.len(),
                }
                .release(&node.sources);
                jobs.callbacks
                    .extend(told.map(|callback| (callback, error.clone())));
                jobs.threads.extend(scan.threads);
            }
        }
        jobs.visited.push(node);
    }
    for node in &jobs.visited {
        // Release: pairs with the acquire in `Node::is_walked_by`; whoever sees it need not look at the links
        // below, which this traversal has marked. It may still miss them after the next line, and need not care.
        node.settled.store(true, Ordering::Release);
        node.forget_links();
    }
    (won_root == Some(true), jobs)
}

/// For a node that is cancelled already: returns when everything below it is marked (invariant 4).
pub(crate) fn help(node: &Arc<Node>) -> Jobs {
    match node.error() {
        Some(error) if !node.is_walked_by(ThreadKey::current()) => mark(node, error.clone()).1,
        _ => Jobs::default(),
    }
}

impl Node {
    /// Whether nothing is left to be marked below this node, or it is this thread that is about to do it.
    fn is_walked_by(&self, me: ThreadKey) -> bool {
        // Acquire: see `mark`. The cause's marker was published with the cause.
        self.settled.load(Ordering::Acquire)
            || self.cause.get().is_some_and(|latched| latched.marker == me)
    }
}

impl Jobs {
    pub(crate) fn extend(&mut self, more: Jobs) {
        self.threads.extend(more.threads);
        self.callbacks.extend(more.callbacks);
        self.visited.extend(more.visited);
        self.too_late.extend(more.too_late);
    }

    /// Has the node dropped with the others.
    pub(crate) fn keep(&mut self, node: Arc<Node>) {
        self.visited.push(node);
    }

    /// Wakes the waiting threads. No user code runs.
    pub(crate) fn wake_threads(&mut self) {
        for parker in self.threads.drain(..) {
            parker.unpark();
        }
    }

    /// Whether user code is left to be run, or may be when nodes are dropped: those that still have another owner are
    /// let go. (An error that came too late for a deadline holds nothing of the user's.)
    pub(crate) fn has_user_code(&mut self) -> bool {
        let visited = std::mem::take(&mut self.visited);
        self.visited = visited
            .into_iter()
            .filter_map(Arc::into_inner)
            .map(Arc::new)
            .collect();
        !self.callbacks.is_empty() || !self.visited.is_empty()
    }

    /// Runs everything on this thread, whatever panics; the first panic is resumed afterwards, unless the thread is
    /// unwinding already.
    pub(crate) fn run(mut self) {
        self.wake_threads();
        let mut first = None;
        // Before the callbacks, which may block: nothing is kept alive by a cancel that has passed it.
        for node in self.visited {
            Panic::keep_first(&mut first, Panic::catch(|| drop(node)));
        }
        for error in self.too_late {
            Panic::keep_first(&mut first, Panic::catch(|| drop(error)));
        }
        for (callback, error) in self.callbacks {
            Panic::keep_first(&mut first, callback.run(&error));
        }
        if let Some(panic) = first {
            panic.resume();
        }
    }
}
