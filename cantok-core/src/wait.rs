//! Blocking until a token is cancelled. Needs no other thread: the caller's thread wakes itself for the token's
//! deadline and polls its conditions. Everything else wakes it.

use crate::CancellationError;
use crate::clock::{self, earlier};
use crate::node::Node;
use crate::parker::Parker;
use crate::sync::Arc;
use std::time::Instant;

/// Returns `None` if `limit` has passed and the token is not cancelled.
pub(crate) fn until(node: &Arc<Node>, limit: Option<Instant>) -> Option<CancellationError> {
    if let Some(error) = node.check_uncounted() {
        return Some(error.clone());
    }
    if limit.is_some_and(|limit| limit <= clock::now()) {
        return None;
    }
    let parker = Arc::new(Parker::new());
    let _registered = Registered {
        node,
        key: node.register(Arc::clone(&parker)).ok(),
    };
    let mut polls = Vec::new();
    for condition in node.conditions() {
        polls.push(PolledCondition::new(condition));
    }
    loop {
        if let Some(error) = node.cancellation() {
            return Some(error.clone());
        }
        let mut wake_at = earlier(limit, node.deadline());
        for poll in &polls {
            wake_at = earlier(wake_at, poll.due);
        }
        parker.park(wake_at);
        if let Some(error) = node.error() {
            return Some(error.clone());
        }
        let now = clock::now();
        if limit.is_some_and(|limit| limit <= now) {
            return node.check_uncounted().cloned();
        }
        // The first one that is satisfied cancels the node, which ends the loop.
        for poll in &mut polls {
            if poll.run_if_due(node, now) {
                break;
            }
        }
    }
}

/// Unregisters the waiter when dropped. Borrowing spares a woken thread the reference count.
struct Registered<'a> {
    node: &'a Arc<Node>,
    key: Option<u32>,
}

impl Drop for Registered<'_> {
    fn drop(&mut self) {
        // The canceller of a marked node takes the waiter out.
        if let Some(key) = self.key.filter(|_| !self.node.is_marked()) {
            self.node.remove(key);
        }
    }
}

/// A condition that is polled at its interval.
struct PolledCondition {
    node: Arc<Node>,
    /// `None` if beyond the clock's range.
    due: Option<Instant>,
}

impl PolledCondition {
    fn new(node: Arc<Node>) -> Self {
        let mut poll = PolledCondition { node, due: None };
        poll.put_off();
        poll
    }

    fn put_off(&mut self) {
        let interval = self
            .node
            .condition()
            .map(|condition| condition.poll_interval());
        self.due = interval.and_then(|interval| clock::now().checked_add(interval));
    }

    fn run_if_due(&mut self, node: &Arc<Node>, now: Instant) -> bool {
        if self.due.is_none_or(|due| due > now) {
            return false;
        }
        let is_cancelled = node.check_condition(&self.node);
        self.put_off();
        is_cancelled
    }
}
