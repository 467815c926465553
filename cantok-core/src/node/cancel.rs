//! Cancelling: a work list instead of recursion, help instead of waiting, and user code only at the end.

use super::addresses::{Addresses, address};
use super::few::Few;
use super::{Demand, Node, Subscriber};
use crate::callback::{Call, Panic};
use crate::parker::Parker;
use crate::sync::{Arc, Ordering, ThreadKey};
#[cfg(feature = "tracing")]
use crate::trace::Event;
use crate::{CancellationError, Cause};
use std::task::Waker;

/// The cause of a cancelled node.
pub(super) struct Latched {
    pub(super) error: CancellationError,
    /// The thread that cancelled the node and has yet to walk what is below it, as long as it is not settled.
    marker: ThreadKey,
}

/// What a traversal leaves to be done when no lock is held and everything is marked (invariant 5).
#[derive(Default)]
pub(crate) struct Jobs {
    threads: Few<Arc<Parker>>,
    wakers: Vec<Waker>,
    callbacks: Vec<Callbacks>,
    /// Nodes whose last handle went while they were visited. Dropping them may drop closures.
    orphans: Vec<Node>,
    /// Errors that came too late, with reasons in them that may be the user's.
    too_late: Vec<CancellationError>,
    #[cfg(feature = "tracing")]
    events: Vec<Event>,
}

/// Callbacks that are called with the same error.
struct Callbacks {
    error: CancellationError,
    callbacks: Vec<Arc<dyn Call>>,
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
    let (won, has_links) = traversal.cancel(root, error);
    if has_links {
        traversal.walks.push((Arc::clone(root), 0));
        traversal.walk();
    }
    #[cfg(feature = "tracing")]
    traversal.jobs.trace(won, root);
    (won, traversal.jobs)
}

impl Traversal {
    /// Cancels a node, with a cause of its own. Tells whether it was not cancelled before, and whether there is
    /// something below it that has yet to be visited.
    fn cancel(&mut self, node: &Arc<Node>, error: CancellationError) -> (bool, bool) {
        if node.state.has_one_flag() && node.state.claim() {
            self.jobs.drop_late(error);
            return (false, self.tell(node, None));
        }
        let latched = Latched {
            error,
            marker: self.me,
        };
        // Published (release) before the state, and acquired by whoever comes too late (invariant 1).
        let lost = node.cause.set(latched).err();
        let won = lost.is_none();
        if let Some(Latched { error, .. }) = lost {
            self.jobs.drop_late(error);
        }
        // Whoever lost the cause writes the state as well, because the winner may not have come to it yet and the
        // caller relies on it; the cause that it found there was acquired with it.
        let before = node.state.cancel();
        let latched = node.cause.get().filter(|_| won);
        let error = latched.map(|latched| &latched.error);
        (won, before.is_subscribed() && self.tell(node, error))
    }

    /// Cancels a node whose one flag is cancelled with that error. Cheaper than [`Traversal::cancel`] by half. Tells
    /// whether there is something below it that has yet to be visited.
    ///
    /// The flag has no flag itself, or more than are copied from it, so it follows nobody: a cause is found in one
    /// step.
    fn follow(&mut self, node: &Arc<Node>, error: &CancellationError) -> bool {
        debug_assert!({
            let mut flags = node.sources.flags.as_slice().iter();
            flags.all(|flag| !flag.node.state.get().follows())
        });
        let before = node.state.follow();
        if !before.is_cancelled() && before.is_claimed() {
            return self.cancel(node, error.clone()).1;
        }
        let won = !before.is_cancelled();
        before.is_subscribed() && self.tell(node, won.then_some(error))
    }

    /// Takes out of a cancelled node who is to be told of the error. `None`: it was cancelled before, and they are left
    /// to the one that did it. Returns whether there is something below the node that has yet to be visited.
    fn tell(&mut self, node: &Arc<Node>, error: Option<&CancellationError>) -> bool {
        let has_links = match error {
            Some(error) => node.take_told(error, &mut self.jobs),
            None if node.is_walked_by(self.me) => return false,
            // Only a node that is walked from here on is remembered, and so kept: the address of another one may be that
            // of a new node before this traversal is over.
            None if node.has_links() => return self.helped.insert(address(node)),
            None => false,
        };
        if !has_links {
            node.settle();
        }
        has_links
    }

    /// Visits everything below the nodes that have been visited.
    fn walk(&mut self) {
        let mut batch = Vec::new();
        let mut done = Vec::new();
        while let Some(last) = self.walks.len().checked_sub(1) {
            let (node, from) = &mut self.walks[last];
            let has_more = node.next_links(from, &mut batch);
            // Invariant 1: there is one.
            if let Some(error) = node.error().cloned() {
                for (slot, node) in batch.drain(..) {
                    let has_links = if node.state.has_one_flag() {
                        self.follow(&node, &error)
                    } else {
                        self.cancel(&node, error.clone()).1
                    };
                    if has_links {
                        self.walks.push((node, 0));
                        continue;
                    }
                    // It may also be one that was visited on another way, with links that are yet to be followed.
                    if node.is_settled() {
                        done.push(slot);
                    }
                    self.jobs.release(node);
                }
            }
            self.walks[last].0.remove_links(done.drain(..));
            if !has_more {
                self.walked.push(self.walks.swap_remove(last).0);
            }
        }
        for node in self.walked.drain(..) {
            node.remove_links(0..);
            node.settle();
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
    /// Nothing is left to be marked below this node, and no link is left in it (invariant 4).
    fn settle(&self) {
        // Release: pairs with the acquire in `is_settled`. Whoever sees it need not follow the links below; whoever
        // misses it follows what is left of them, in vain.
        self.settled.store(true, Ordering::Release);
    }

    /// For a cancelled node: whether nothing is left to be marked below it.
    pub(super) fn is_settled(&self) -> bool {
        // Acquire: see `settle`.
        !self.state.is_subscribed() || self.settled.load(Ordering::Acquire)
    }

    /// For a cancelled node: whether nothing is left to be marked below it, or it is this thread that is about to do
    /// it.
    fn is_walked_by(&self, me: ThreadKey) -> bool {
        if self.is_settled() {
            return true;
        }
        // None for a node that follows: a traversal meets it once through its one flag, and not again but as its root,
        // when it helps another thread.
        self.cause.get().is_some_and(|latched| latched.marker == me)
    }
}

impl Jobs {
    pub(crate) fn extend(&mut self, mut more: Jobs) {
        more.threads
            .drain()
            .for_each(|thread| self.threads.push(thread));
        self.wakers.extend(more.wakers);
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
        let callbacks = self.callbacks.iter().map(|same| same.callbacks.len());
        let callbacks = self.wakers.len() + callbacks.sum::<usize>();
        self.events
            .extend(fired.map(|error| Event::new(error.clone(), callbacks)));
    }

    #[inline]
    pub(super) fn push_waker(&mut self, task: Waker) {
        self.wakers.push(task);
    }

    /// Has a subscriber told of the cancel of a node that is marked. Gives the demand that it had added there.
    #[inline]
    pub(super) fn tell(&mut self, subscriber: Subscriber, error: &CancellationError) -> Demand {
        let demand = subscriber.demand();
        match subscriber {
            Subscriber::Link(_) => {}
            Subscriber::Thread(parker) => self.threads.push(parker),
            Subscriber::Waker(waker) | Subscriber::Checked(waker) => self.push_waker(waker),
            Subscriber::Callback(callback) => match self.callbacks.last_mut() {
                Some(same) if same.error == *error => same.callbacks.push(callback),
                _ => self.callbacks.push(Callbacks {
                    error: error.clone(),
                    callbacks: vec![callback],
                }),
            },
        }
        demand
    }

    /// Has an error dropped that came too late.
    pub(crate) fn drop_late(&mut self, error: CancellationError) {
        // Others hold nothing of the user's.
        if matches!(error.cause(), Cause::Reason(_)) {
            self.too_late.push(error);
        }
    }

    /// Gives up a reference to a node. If it is the last one, the node is dropped with the jobs.
    pub(crate) fn release(&mut self, node: Arc<Node>) {
        if let Some(node) = Arc::into_inner(node) {
            self.orphans.push(node);
        }
    }

    /// Wakes the waiting threads. No user code runs.
    pub(crate) fn wake_threads(&mut self) {
        for parker in self.threads.drain() {
            parker.unpark();
        }
    }

    /// Whether user code is left to be run.
    pub(crate) fn has_user_code(&self) -> bool {
        #[cfg(feature = "tracing")]
        if !self.events.is_empty() {
            return true;
        }
        !self.wakers.is_empty()
            || !self.callbacks.is_empty()
            || !self.orphans.is_empty()
            || !self.too_late.is_empty()
    }

    /// Runs everything on this thread, whatever panics; the first panic is resumed afterwards, unless the thread is
    /// unwinding already.
    pub(crate) fn run(mut self) {
        self.wake_threads();
        let mut first = None;
        // First, since they do not block, as destructors, events and callbacks may.
        for waker in self.wakers {
            Panic::keep_first(&mut first, Panic::catch(|| waker.wake()));
        }
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
        for Callbacks { error, callbacks } in self.callbacks {
            for callback in callbacks {
                Panic::keep_first(&mut first, callback.run(&error));
            }
            Panic::keep_first(&mut first, Panic::catch(|| drop(error)));
        }
        if let Some(panic) = first {
            panic.resume();
        }
    }
}
