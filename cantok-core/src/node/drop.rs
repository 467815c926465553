//! Dropping: a node removes itself from the lists of its sources, and releases them in a loop, at any depth.

use super::edges::Edge;
use super::fired::Fired;
use super::remains::Remains;
use super::waiter::Waiter;
use super::waiters::Waiters;
use super::{Body, Node, rest};
use crate::panic::Panic;
use crate::sync::{Arc, Ordering, get_mut};
use std::any::Any;

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

    pub(super) fn owns_nodes(&self) -> bool {
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

impl Node {
    /// Moves everything that the node owns out of it, and drops or queues it.
    fn take_apart(&mut self, remains: &mut Remains) {
        if self.has_waiters() {
            self.take_waiters_apart(remains);
        }
        if self.has_reason() {
            remains.drop_users(self.cause.take());
        }
        if let Some(label) = self.label.take() {
            remains.drop_users::<Box<dyn Any>>(label);
        }
        match std::mem::replace(&mut self.body, Body::Plain) {
            Body::Plain | Body::Deadline(_) | Body::Idle(_) | Body::Counter(_) => {}
            Body::Delayed(mut delayed) => {
                if let Some(source) = delayed.source {
                    remains.release(source);
                }
                if let Some(error) = delayed.error.take() {
                    // Of the type of `cause`: one copy of the code for both.
                    remains.drop_users(Some(Fired::Error(error)));
                }
            }
            Body::Condition(condition) => remains.drop_users(condition),
            Body::Derived(derived) => derived.edges.take(|edge| remains.drop_edge(edge.node)),
        }
    }

    fn take_waiters_apart(&mut self, remains: &mut Remains) {
        let (waiters, attached) = self.take_waiters();
        // A callback that is still here is detached.
        let is_inherited = !self.is_marked()
            && match &self.body {
                Body::Delayed(delayed) => delayed.goes_on(),
                _ => !self.edges().is_empty(),
            };
        let mut inherited = Vec::new();
        let mut polled = 0;
        for waiter in &waiters {
            polled += usize::from(waiter.needs_polling());
        }
        self.unwatch_conditions(polled);
        for waiter in waiters {
            match waiter {
                Waiter::Callback(_) | Waiter::Heir(_) if is_inherited => inherited.push(waiter),
                Waiter::Callback(_) | Waiter::Waker(_) => {
                    remains.drop_users::<Box<dyn Any>>(Box::new(waiter));
                }
                Waiter::Heir(node) => remains.release(node),
                Waiter::Link(_)
                | Waiter::Thread(_)
                | Waiter::Running(_)
                | Waiter::Itself(_)
                | Waiter::Owner(..) => {}
            }
        }
        if !inherited.is_empty() {
            if let Some(all) = rest::callbacks() {
                (all.bequeath)(self, inherited, remains);
            }
        }
        for guard in attached {
            remains.drop_users::<Box<dyn Any>>(guard);
        }
    }

    /// Hands detached callbacks, and heirs with others, over to the sources: from now on only those can cancel this
    /// token. Those of a delayed token go to an orphan.
    pub(super) fn bequeath(&self, inherited: Vec<Waiter>, remains: &mut Remains) {
        if let Body::Delayed(delayed) = &self.body {
            // Panics if the operating system refuses a thread.
            return remains.keep(Panic::catch(|| delayed.leave(inherited)));
        }
        let heir = Node::flag();
        for waiter in inherited {
            let _ = heir.insert(waiter);
        }
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
                        remains.keep(Panic::catch(|| jobs.run()));
                    }
                }
            }
        }
        remains.release(heir);
    }
}
