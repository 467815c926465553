//! Dropping: a node removes itself from the lists of its sources, and releases them in a loop, at any depth.

use super::edges::Edge;
use super::fired::Fired;
use super::waiters::{Waiter, Waiters};
use super::{Body, Node};
use crate::later::drop_caught;
use crate::panic::Panic;
use crate::sync::{Arc, Ordering, get_mut};

impl Drop for Node {
    #[inline]
    fn drop(&mut self) {
        if !self.is_bare_leaf() || self.has_waiters() {
            self.drop_rest();
        }
    }
}

impl Node {
    /// Whether the node is registered nowhere, and owns neither a node nor a value of the user's. Most leaves are
    /// dropped so.
    #[inline]
    fn is_bare_leaf(&self) -> bool {
        let is_leaf = match &self.body {
            Body::Plain | Body::Deadline(_) | Body::Counter(_) | Body::Idle(_) => true,
            Body::Condition(_) | Body::Delayed(_) | Body::Derived(_) => false,
        };
        // Relaxed: there is no other reference.
        is_leaf
            && self.alarm.load(Ordering::Relaxed) == 0
            && self.because().is_none()
            && !matches!(self.cause.get(), Some(Fired::Error(_)))
    }
}

impl Node {
    pub(super) fn drop_in_full(&mut self) {
        self.disarm();
        // Most tokens own only leaves, which are dropped with the fields. A leaf owns no node, unless it has heirs or
        // is delayed.
        if self.needs_care() {
            self.drop_with_care();
        }
    }

    /// Whether dropping the fields one by one is not enough: user code may run, or nodes are nested.
    #[inline]
    fn needs_care(&mut self) -> bool {
        let edges = self.edges();
        self.condition()
            .is_some_and(|condition| condition.needs_drop())
            || self.because().is_some()
            || edges.iter().any(|edge| edge.node.owns_nodes())
            || self.has_reason()
            || self.has_waiters()
    }

    fn owns_nodes(&self) -> bool {
        matches!(self.body, Body::Derived(_) | Body::Delayed(_))
    }

    /// Whether there are waiters, guards, or the memory for many of them.
    #[inline]
    fn has_waiters(&mut self) -> bool {
        !matches!(get_mut(&mut self.waiters), Waiters::None)
    }

    /// Whether the cause holds a value of the user's.
    #[inline]
    fn has_reason(&self) -> bool {
        self.cause.get().is_some_and(Fired::has_reason)
    }

    #[inline(never)]
    fn drop_with_care(&mut self) {
        let mut remains = Remains::default();
        self.take_apart(&mut remains);
        while let Some(mut node) = remains.nodes.pop() {
            // Empty by now, it is dropped at the end of the block.
            node.disarm();
            node.take_apart(&mut remains);
        }
        if let Some(panic) = remains.panic {
            panic.resume();
        }
    }
}

#[derive(Default)]
struct Remains {
    /// Nodes without other references, which have yet to be taken apart.
    nodes: Vec<Node>,
    /// The first panic of a user's destructor or callback.
    panic: Option<Panic>,
}

impl Remains {
    /// Drops a user's value.
    fn drop_users<T: 'static>(&mut self, value: T) {
        Panic::keep_first(&mut self.panic, drop_caught(value));
    }

    /// Releases a node that may own others. If this is the last reference the node is queued, so that nothing recurses.
    fn release(&mut self, node: Arc<Node>) {
        self.nodes.extend(Arc::into_inner(node));
    }
}

impl Node {
    /// Moves everything that the node owns out of it, and drops or queues it.
    fn take_apart(&mut self, remains: &mut Remains) {
        if self.has_waiters() {
            self.take_waiters_apart(remains);
        }
        if self.has_reason() {
            remains.drop_users(self.cause.take());
        }
        remains.drop_users(self.label.take());
        match std::mem::replace(&mut self.body, Body::Plain) {
            Body::Plain | Body::Deadline(_) | Body::Idle(_) | Body::Counter(_) => {}
            Body::Delayed(delayed) => {
                delayed
                    .source
                    .into_iter()
                    .for_each(|source| remains.release(source));
                remains.drop_users(delayed.error);
            }
            Body::Condition(condition) => remains.drop_users(condition),
            Body::Derived(derived) => derived.edges.take(|edge| {
                if edge.node.owns_nodes() {
                    remains.release(edge.node);
                } else {
                    Panic::keep_first(&mut remains.panic, Panic::catch(|| drop(edge.node)));
                }
            }),
        }
    }

    fn take_waiters_apart(&mut self, remains: &mut Remains) {
        let (waiters, attached) = self.take_waiters();
        // A callback that is still here is detached.
        let is_inherited = !self.is_marked() && !self.edges().is_empty();
        let leave = match &self.body {
            Body::Delayed(delayed) if !self.is_marked() => delayed.leave(),
            _ => None,
        };
        let mut left = Vec::new();
        let polled = waiters.iter().filter(|waiter| waiter.needs_polling());
        self.unwatch_conditions(polled.count());
        let mut heir = None;
        for waiter in waiters {
            match waiter {
                Waiter::Callback(_) | Waiter::Heir(_) if is_inherited => {
                    let heir = heir.get_or_insert_with(Node::flag);
                    let _ = heir.insert(waiter);
                }
                Waiter::Callback(_) | Waiter::Heir(_) if leave.is_some() => left.push(waiter),
                Waiter::Callback(callback) => remains.drop_users(callback),
                Waiter::Waker(waker) => remains.drop_users(waker),
                Waiter::Heir(node) => remains.release(node),
                Waiter::Link(_)
                | Waiter::Thread(_)
                | Waiter::Running(_)
                | Waiter::Itself(_)
                | Waiter::Owner(..) => {}
            }
        }
        if let Some(heir) = heir {
            self.bequeath(heir, remains);
        }
        if let Some(leave) = leave.filter(|_| !left.is_empty()) {
            // Panics if the operating system refuses a thread.
            Panic::keep_first(&mut remains.panic, Panic::catch(|| leave(self, left)));
        }
        for guard in attached {
            remains.drop_users(guard);
        }
    }

    /// Hands the detached callbacks over to the sources: from now on only those can cancel this token.
    fn bequeath(&self, heir: Arc<Node>, remains: &mut Remains) {
        for Edge { node, .. } in self.edges() {
            match node.insert(Waiter::Heir(Arc::clone(&heir))) {
                Ok(key) => {
                    let owner = Waiter::Owner(Arc::downgrade(node), key);
                    if heir.insert(owner).is_err() {
                        // Another edge has cancelled it meanwhile.
                        node.remove(key);
                    }
                }
                Err(_) => {
                    // The edge was cancelled, and its canceller no longer found this node.
                    if let Some(error) = node.error() {
                        let jobs = heir.mark_with(error);
                        Panic::keep_first(&mut remains.panic, Panic::catch(|| jobs.run()));
                    }
                }
            }
        }
        remains.release(heir);
    }
}
