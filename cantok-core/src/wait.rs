//! Blocking until a token is cancelled. Needs no thread but the caller's: it keeps the token's deadline and polls the
//! token's conditions itself, and is woken for everything else.

use crate::CancellationError;
use crate::leaves::Condition;
use crate::node::{Enrolment, Found, Leaves, Node, Subscriber};
use crate::parker::Parker;
use crate::sync::Arc;
use std::time::Instant;

/// `None`: it is `limit` and the token is not cancelled.
pub(crate) fn until(node: &Arc<Node>, limit: Option<Instant>) -> Option<CancellationError> {
    if let Some(error) = node.ask() {
        return Some(error.clone());
    }
    if limit.is_some_and(|limit| limit <= Instant::now()) {
        return None;
    }
    let parker = Arc::new(Parker::new());
    let _enrolment = Enrolment::new(node, Subscriber::Thread(Arc::clone(&parker)));
    node.link();
    let mut polls: Vec<_> = Leaves::<Condition>::of(node.sources())
        .map(Poll::new)
        .collect();
    loop {
        if let Some(error) = node.look_for_zero() {
            return Some(error.clone());
        }
        let next_poll = polls.iter().filter_map(|poll| poll.due).min();
        let times = [limit, node.sources().earliest(), next_poll];
        parker.park(times.into_iter().flatten().min());
        if let Some(error) = node.error() {
            return Some(error.clone());
        }
        let now = Instant::now();
        if limit.is_some_and(|limit| limit <= now) {
            return node.ask().cloned();
        }
        // The first one that is satisfied cancels the node, which ends the loop.
        let _ = polls.iter_mut().any(|poll| poll.run_if_due(node, now));
    }
}

/// A condition, polled at its interval.
struct Poll<'a> {
    condition: Found<'a, Condition>,
    /// `None`: beyond the clock's range.
    due: Option<Instant>,
}

impl<'a> Poll<'a> {
    fn new(condition: Found<'a, Condition>) -> Self {
        let mut poll = Poll {
            condition,
            due: None,
        };
        poll.put_off();
        poll
    }

    fn put_off(&mut self) {
        self.due = Instant::now().checked_add(self.condition.leaf().poll_interval());
    }

    fn run_if_due(&mut self, node: &Arc<Node>, now: Instant) -> bool {
        if self.due.is_none_or(|due| due > now) {
            return false;
        }
        let satisfied = node.check_condition(self.condition);
        self.put_off();
        satisfied
    }
}
