//! Checks: they poll edges and deadlines unless those are pushed, then conditions, then counters.

use super::edges::Edge;
use super::sources::Derived;
use super::state::Snapshot;
use super::{Body, Node, polling, rest};
use crate::CancellationError;
use crate::leaves::{Answer, Condition, Counter};
use crate::sync::Arc;

impl Node {
    /// Returns `true` if the token is cancelled.
    #[inline]
    pub(crate) fn check(self: &Arc<Self>) -> bool {
        !self.state.is_live() && self.check_rest()
    }

    /// Whether one load shows that a check passes and has no effect.
    #[inline]
    pub(crate) fn is_live(&self) -> bool {
        self.state.is_live()
    }

    /// Whether checks spend a counter.
    pub(crate) fn has_counters(&self) -> bool {
        self.state.get().has_counters()
    }

    /// The rest of [`Node::check`].
    ///
    /// The common path makes its rare calls last, or not at all: a function that goes on after a call saves registers,
    /// and a counter's read-modify-write waits for all earlier writes, those to the stack included.
    pub(super) fn check_sources(self: &Arc<Self>) -> bool {
        if self.state.is_flat() {
            self.check_flat()
        } else {
            self.check_slowly()
        }
    }

    #[cold]
    fn check_slowly(self: &Arc<Self>) -> bool {
        if self.peek() {
            return true;
        }
        let state = self.state.get();
        if !state.has_polled() {
            false
        } else if state.is_nested() {
            self.check_nested(state)
        } else {
            self.check_flat()
        }
    }

    #[inline]
    fn check_flat(self: &Arc<Self>) -> bool {
        match &self.body {
            Body::Derived(derived) => self.check_polled(derived),
            Body::Counter(counter) => !counter.spend() && self.fire(self),
            Body::Condition(condition) => self.check_own(condition),
            Body::Plain | Body::Deadline(_) | Body::Idle(_) | Body::Delayed(_) => false,
        }
    }

    #[inline(never)]
    fn check_own(self: &Arc<Self>, condition: &Arc<dyn Condition>) -> bool {
        if is_satisfied(self, condition) {
            return self.fire(self);
        }
        // It may have been cancelled during the call.
        self.is_marked()
    }

    /// Calls the conditions, then spends the counters.
    #[inline(never)]
    fn check_polled(self: &Arc<Self>, derived: &Derived) -> bool {
        let mut edges = derived.polled();
        while let [Edge { node, .. }, rest @ ..] = edges {
            let Body::Condition(condition) = &node.body else {
                break;
            };
            if is_satisfied(node, condition) {
                return self.fire(node);
            }
            edges = rest;
        }
        self.check_counters(edges)
    }

    /// Spends the counters at the front of a list.
    #[inline]
    fn check_counters(self: &Arc<Self>, edges: &[Edge]) -> bool {
        if self.state.is_pushed() {
            self.spend(edges)
        } else {
            self.spend_unless_cancelled(edges)
        }
    }

    #[cold]
    fn spend_unless_cancelled(self: &Arc<Self>, edges: &[Edge]) -> bool {
        self.was_cancelled_meanwhile() || self.spend(edges)
    }

    #[inline(never)]
    fn spend(self: &Arc<Self>, edges: &[Edge]) -> bool {
        match edges {
            [first, second, ..] if has_counter(first) && has_counter(second) => {
                self.spend_all(edges)
            }
            [Edge { node, .. }, ..] => match &node.body {
                Body::Counter(counter) => !counter.spend() && self.fire(node),
                _ => false,
            },
            [] => false,
        }
    }

    /// Spends a unit of each of several counters. If one has none left, it refuses the check and nothing is spent.
    #[cold]
    fn spend_all(self: &Arc<Self>, counters: &[Edge]) -> bool {
        let refuses = |node: &Arc<Node>| node.counter().is_some_and(|counter| !counter.spend());
        let mut nodes = counters.iter().map(|edge| &edge.node);
        let empty = nodes.clone().find(|node| refuses_empty(node));
        let refusing = empty.or_else(|| nodes.find(|node| refuses(node)));
        refusing.is_some_and(|refusing| self.fire(refusing))
    }

    /// [`Node::check_polled`] through derived nodes.
    #[cold]
    fn check_nested(self: &Arc<Self>, state: Snapshot) -> bool {
        if state.has_conditions() {
            if let Some(satisfied) = self.find_polled(&mut has_satisfied) {
                return self.fire(&satisfied);
            }
            if self.was_cancelled_meanwhile() {
                return true;
            }
        }
        let spend = &mut |node: &Arc<Node>| node.counter().is_some_and(|counter| !counter.spend());
        let refusing = self.find_polled(&mut refuses_empty);
        let refusing = refusing.or_else(|| self.find_polled(spend));
        refusing.is_some_and(|refusing| self.fire(&refusing))
    }

    /// One check for up to `wanted` items, at least one. Calls each condition once. Takes the same number of units from
    /// each counter, as many as the one with the fewest has. Returns for how many items it passes; 0 if the token is
    /// cancelled.
    pub(crate) fn check_many(self: &Arc<Self>, wanted: u64) -> u64 {
        let state = self.state.get();
        if !state.has_counters() {
            return if self.check() { 0 } else { wanted };
        }
        let is_plain = !state.is_cancelled() && !state.is_unarmed() && !state.has_conditions();
        if !is_plain && self.check_uncounted().is_some() {
            return 0;
        }
        match self.only_counter(state) {
            Some((node, counter)) => match counter.take(wanted) {
                0 => {
                    self.fire(node);
                    0
                }
                units => units,
            },
            None => self.take_of_all(wanted),
        }
    }

    /// [`Node::check_many`] for several counters.
    #[cold]
    fn take_of_all(self: &Arc<Self>, wanted: u64) -> u64 {
        let mut refusing = self.find_polled(&mut refuses_empty);
        let mut granted = wanted;
        let mut taken = Vec::new();
        if refusing.is_none() {
            refusing = self.find_polled(&mut |node| {
                let Some(counter) = node.counter() else {
                    return false;
                };
                granted = counter.take(granted);
                taken.push((Arc::clone(node), granted));
                granted == 0
            });
        }
        for (node, units) in &taken {
            if let Some(counter) = node.counter() {
                counter.give_back(units - granted);
            }
        }
        match refusing {
            Some(refusing) => {
                self.fire(&refusing);
                0
            }
            None => granted,
        }
    }

    /// Gives back, to each counter, units that [`Node::check_many`] granted and that let nothing pass.
    pub(crate) fn give_back(self: &Arc<Self>, units: u64) {
        match self.only_counter(self.state.get()) {
            Some((_, counter)) => counter.give_back(units),
            None => {
                self.find_polled(&mut |node| {
                    if let Some(counter) = node.counter() {
                        counter.give_back(units);
                    }
                    false
                });
            }
        }
    }

    /// The counter that checks spend, if the node's own list shows that there is exactly one.
    #[inline]
    fn only_counter(self: &Arc<Self>, state: Snapshot) -> Option<(&Arc<Node>, &Counter)> {
        let node = match &self.body {
            Body::Derived(derived) if !state.is_nested() => match derived.polled() {
                [Edge { node, .. }] => node,
                [.., Edge { node: before, .. }, Edge { node, .. }]
                    if before.condition().is_some() =>
                {
                    node
                }
                _ => return None,
            },
            _ => self,
        };
        Some((node, node.counter()?))
    }

    /// Whether the token was cancelled while conditions were called, perhaps by one of them. That cancel came first, so
    /// no unit is spent after it.
    #[cold]
    fn was_cancelled_meanwhile(self: &Arc<Self>) -> bool {
        let state = self.state.get();
        state.is_cancelled()
            || state.is_unarmed() && state.has_conditions() && self.poll_sources_again()
    }

    /// Does all of a check except for spending units.
    pub(crate) fn check_uncounted(self: &Arc<Self>) -> Option<&CancellationError> {
        if self.cancellation().is_none() && self.state.has_conditions() {
            if let Some(satisfied) = self.find_polled(&mut has_satisfied) {
                self.fire(&satisfied);
            }
        }
        self.cancellation()
    }

    /// The nodes whose conditions checks of this one call.
    pub(crate) fn conditions(self: &Arc<Self>) -> Vec<Arc<Node>> {
        let mut conditions = Vec::new();
        if self.state.has_conditions() {
            self.find_polled(&mut |node| {
                if node.condition().is_some() {
                    conditions.push(Arc::clone(node));
                }
                false
            });
        }
        conditions
    }

    /// Calls the condition of `node`, a source. Returns `true` if that cancels.
    pub(crate) fn check_condition(self: &Arc<Self>, node: &Arc<Node>) -> bool {
        has_satisfied(node) && self.fire(node)
    }
}

/// Whether the node has a condition, and that is satisfied.
#[inline]
fn has_satisfied(node: &Arc<Node>) -> bool {
    node.condition()
        .is_some_and(|condition| is_satisfied(node, condition))
}

#[inline]
fn is_satisfied(node: &Arc<Node>, condition: &Arc<dyn Condition>) -> bool {
    match condition.call_plainly() {
        Answer::No => false,
        answer => rest::conditions().is_some_and(|all| (all.conclude)(node, answer)),
    }
}

/// Whether an answer, or a call with everything that belongs to it, satisfies the condition of `node`.
pub(super) fn conclude(node: &Arc<Node>, answer: Answer) -> bool {
    let Some(condition) = node.condition() else {
        return false;
    };
    match answer {
        Answer::No => false,
        Answer::Yes => condition.conclude(Some(true)),
        Answer::Failed => condition.conclude(None),
        Answer::NotCalled => {
            if condition.must_report_checks() && !condition.is_called_here() {
                polling::checked(condition, node);
            }
            condition.call()
        }
    }
}

fn has_counter(edge: &Edge) -> bool {
    edge.node.counter().is_some()
}

/// Whether the node has a counter without a unit, which refuses this check.
fn refuses_empty(node: &Arc<Node>) -> bool {
    let Some(counter) = node.counter() else {
        return false;
    };
    let is_empty = counter.remaining() == 0;
    if is_empty {
        counter.refuse();
    }
    is_empty
}
