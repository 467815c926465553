//! Dropping: a node takes itself out of the lists of its edges, and releases them with a loop, at any depth.

use super::edges::Edge;
use super::waiters::Waiter;
use super::{Body, Kind, Node};
use crate::later::drop_caught;
use crate::panic::Panic;
use crate::sync::{Arc, Ordering};

impl Drop for Node {
    #[inline]
    fn drop(&mut self) {
        // Most tokens were never registered anywhere and own nothing that has to be taken apart.
        if !self.is_simple() {
            self.drop_in_full();
        }
    }
}

impl Node {
    /// Whether the fields can be dropped one by one.
    #[inline]
    fn is_simple(&self) -> bool {
        // Relaxed: there is no other reference.
        matches!(
            self.body,
            Body::Plain | Body::Deadline(_) | Body::Counter(_)
        ) && self.alarm.load(Ordering::Relaxed) == 0
            && !self.state.has_waiters()
            && self.cause.get().is_none_or(|error| !error.has_reason())
    }

    fn drop_in_full(&mut self) {
        let mut remains = Remains::default();
        self.take_apart(&mut remains);
        while let Some(mut node) = remains.nodes.pop() {
            // It is dropped at the end of the block, with nothing left in it, so this function is entered only once
            // more.
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
    /// Drops what belongs to users.
    fn drop_users<T: 'static>(&mut self, value: T) {
        Panic::keep_first(&mut self.panic, drop_caught(value));
    }

    /// Gives up a reference. What owns other nodes waits for its turn, so that nothing recurses.
    fn release(&mut self, node: Arc<Node>) {
        if node.is_simple() {
            drop(node);
        } else if matches!(node.body, Body::Derived(_)) || node.state.has_waiters() {
            self.nodes.extend(Arc::into_inner(node));
        } else {
            Panic::keep_first(&mut self.panic, Panic::catch(|| drop(node)));
        }
    }
}

impl Node {
    /// Unregisters the node everywhere, and gives up what it owns.
    fn take_apart(&mut self, remains: &mut Remains) {
        self.remove_alarm();
        if self.state.has_waiters() {
            self.take_waiters_apart(remains);
        }
        if let Some(error) = self.cause.take() {
            if error.has_reason() {
                remains.drop_users(error);
            }
        }
        match std::mem::replace(&mut self.body, Body::Plain) {
            Body::Plain | Body::Deadline(_) | Body::Counter(_) => {}
            Body::Condition(condition) => remains.drop_users(condition),
            Body::Derived(mut derived) => {
                derived.edges.drain(|mut edge| {
                    edge.unlink();
                    remains.release(edge.node);
                });
            }
        }
    }

    fn take_waiters_apart(&mut self, remains: &mut Remains) {
        let (waiters, attached) = self.take_waiters();
        // A callback that is left is detached.
        let is_inherited = !self.is_marked() && !self.edges().is_empty();
        let unattended = waiters.iter().filter(|waiter| waiter.is_unattended());
        self.unwatch_conditions(unattended.count());
        let mut heir = None;
        for waiter in waiters {
            match waiter {
                Waiter::Callback(_) | Waiter::Heir(_) if is_inherited => {
                    let heir =
                        heir.get_or_insert_with(|| Node::leaf(Kind::Simple, Body::Plain, None));
                    let _ = heir.insert(waiter);
                }
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
        for guard in attached {
            remains.drop_users(guard);
        }
    }

    /// From now on only the edges can cancel this token, so they get the detached callbacks.
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
                    // That edge was cancelled and has not come to this node any more.
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
