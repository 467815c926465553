//! Cancelling: a work list instead of recursion, help instead of waiting, and user code only at the end.

use super::addresses::{Addresses, address};
use super::{CANCELLED, Node};
use crate::callback::{Callback, Panic};
use crate::parker::Parker;
use crate::sync::{Arc, Ordering, ThreadKey};
#[cfg(feature = "tracing")]
use crate::trace::Event;
use crate::{CancellationError, Cause};

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
    /// Nodes whose last handle went while they were visited. Dropping them may drop closures.
    orphans: Vec<Node>,
    /// Errors that came too late, with reasons in them that may be the user's.
    too_late: Vec<CancellationError>,
    #[cfg(feature = "tracing")]
    events: Vec<Event>,
}

/// A traversal of everything that is linked below a node.
struct Traversal {
    me: ThreadKey,
    jobs: Jobs,
    /// Nodes with links, and the slots from which on they have yet to be followed.
    walks: Vec<(Arc<Node>, usize)>,
    /// Nodes all of whose links have been followed.
    walked: Vec<Arc<Node>>,
    /// Nodes of other cancellers that this one has helped with.
    helped: Addresses,
}

/// Cancels `root` and all nodes that are linked below it. Tells whether `root` was not cancelled before. When this
/// returns everything below is marked, whoever marked it.
pub(crate) fn mark(root: &Arc<Node>, error: CancellationError) -> (bool, Jobs) {
    let mut traversal = Traversal {
        me: ThreadKey::current(),
        jobs: Jobs::default(),
        walks: Vec::new(),
        walked: Vec::new(),
        helped: Addresses::default(),
    };
    let won = traversal.visit(Arc::clone(root), error);
    traversal.walk();
    #[cfg(feature = "tracing")]
    traversal.jobs.trace(won, root);
    (won, traversal.jobs)
}

impl Traversal {
    /// Marks a node. If there is something below it, that is put off. Tells whether the node was not cancelled before.
    fn visit(&mut self, node: Arc<Node>, error: CancellationError) -> bool {
        let latched = Latched {
            error,
            marker: self.me,
        };
        // Published (release) before the state, and acquired by whoever comes too late (invariant 1).
        let lost = node.cause.set(latched).err();
        let won = lost.is_none();
        if let Some(Latched { error, .. }) = lost {
            // Others hold nothing of the user's.
            if matches!(error.cause(), Cause::Reason(_)) {
                self.jobs.too_late.push(error);
            }
        }
        // Release: pairs with the acquire in `Node::is_marked`. Whoever lost the cause writes the state as well,
        // because the winner may not have come to it yet and the caller relies on it; the cause that it found there
        // was acquired with it. A read-modify-write, so that this and the one that arms have one order in everybody's
        // eyes.
        node.state.swap(CANCELLED, Ordering::Release);
        if !won && (node.is_walked_by(self.me) || !self.helped.insert(address(&node))) {
            self.jobs.release(node);
        } else if node.take_told(won, &mut self.jobs) {
            self.walks.push((node, 0));
        } else {
            node.settle();
            self.jobs.release(node);
        }
        won
    }

    /// Visits everything below the nodes that have been visited.
    fn walk(&mut self) {
        let mut batch = Vec::new();
        while let Some((node, from)) = self.walks.last_mut() {
            let has_more = node.follow_links(from, &mut batch);
            let error = node.cause.get().map(|latched| latched.error.clone());
            if !has_more {
                self.walked.extend(self.walks.pop().map(|(node, _)| node));
            }
            if let Some(error) = error {
                for node in batch.drain(..) {
                    self.visit(node, error.clone());
                }
            }
        }
        for node in self.walked.drain(..) {
            node.settle();
            node.forget_links();
            self.jobs.release(node);
        }
    }
}

/// For a node that is cancelled already: returns when everything below it is marked (invariant 4).
pub(crate) fn help(node: &Arc<Node>) -> Jobs {
    match node.error() {
        Some(error) if !node.is_walked_by(ThreadKey::current()) => mark(node, error.clone()).1,
        _ => Jobs::default(),
    }
}

impl Node {
    /// Nothing is left to be marked below this node.
    fn settle(&self) {
        // Release: pairs with the acquire in `is_walked_by`. Whoever sees it need not follow the links below; whoever
        // misses it follows what is left of them, in vain.
        self.settled.store(true, Ordering::Release);
    }

    /// Whether nothing is left to be marked below this node, or it is this thread that is about to do it.
    fn is_walked_by(&self, me: ThreadKey) -> bool {
        // Acquire: see `settle`. The cause's marker was published with the cause.
        self.settled.load(Ordering::Acquire)
            || self.cause.get().is_some_and(|latched| latched.marker == me)
    }
}

impl Jobs {
    pub(crate) fn extend(&mut self, more: Jobs) {
        self.threads.extend(more.threads);
        self.callbacks.extend(more.callbacks);
        self.orphans.extend(more.orphans);
        self.too_late.extend(more.too_late);
        #[cfg(feature = "tracing")]
        self.events.extend(more.events);
    }

    /// One event for each cancellation: for the token that fired, not for those that follow it.
    #[cfg(feature = "tracing")]
    fn trace(&mut self, won: bool, root: &Arc<Node>) {
        let fired = root.error().filter(|error| won && error.is_from_node(root));
        let callbacks = self.callbacks.len();
        self.events
            .extend(fired.map(|error| Event::new(error.clone(), callbacks)));
    }

    pub(super) fn wake(&mut self, thread: Arc<Parker>) {
        self.threads.push(thread);
    }

    /// Has the callback of a node that is marked called.
    pub(super) fn call(&mut self, callback: Arc<Callback>, node: &Node) {
        let error = node.cause.get().map(|latched| latched.error.clone());
        self.callbacks.extend(error.map(|error| (callback, error)));
    }

    /// Gives up a reference to a node. If it is the last one, the node is dropped with the jobs.
    pub(crate) fn release(&mut self, node: Arc<Node>) {
        self.orphans.extend(Arc::into_inner(node));
    }

    /// Wakes the waiting threads. No user code runs.
    pub(crate) fn wake_threads(&mut self) {
        for parker in self.threads.drain(..) {
            parker.unpark();
        }
    }

    /// Whether user code is left to be run.
    pub(crate) fn has_user_code(&self) -> bool {
        #[cfg(feature = "tracing")]
        if !self.events.is_empty() {
            return true;
        }
        !self.callbacks.is_empty() || !self.orphans.is_empty() || !self.too_late.is_empty()
    }

    /// Runs everything on this thread, whatever panics; the first panic is resumed afterwards, unless the thread is
    /// unwinding already.
    pub(crate) fn run(mut self) {
        self.wake_threads();
        let mut first = None;
        // Before the callbacks, which may block: nothing is kept alive by a cancel that has passed it.
        for node in self.orphans {
            Panic::keep_first(&mut first, Panic::catch(|| drop(node)));
        }
        for error in self.too_late {
            Panic::keep_first(&mut first, Panic::catch(|| drop(error)));
        }
        #[cfg(feature = "tracing")]
        for event in self.events {
            Panic::keep_first(&mut first, Panic::catch(|| event.emit()));
        }
        for (callback, error) in self.callbacks {
            Panic::keep_first(&mut first, callback.run(&error));
            Panic::keep_first(&mut first, Panic::catch(|| drop(error)));
        }
        if let Some(panic) = first {
            panic.resume();
        }
    }
}
