//! Checks: they poll edges and deadlines unless those are pushed, then conditions, then counters.

use super::closure::{Answer, Condition};
use super::edges::Edge;
use super::sources::Derived;
use super::state::Snapshot;
use super::{Body, Node, polling, rest};
use crate::CancellationError;
use crate::leaves::Counter;
use crate::sync::Arc;

impl Node {
    /// Returns `true` if the token is cancelled.
    #[inline]
    pub(crate) fn check(self: &Arc<Self>) -> bool {
        let state = self.state.get_relaxed();
        !state.is_live() && self.check_few(state)
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

    /// The rest of [`Node::check`] for one condition, one counter, or both, which come first in a list. All other checks
    /// are left to [`Node::check_in_full`].
    ///
    /// Most of its time goes into calls and branches, so there are few of both. The condition's call comes last, and goes
    /// on with the check. `state` is the snapshot that was not live.
    #[inline(never)]
    fn check_few(self: &Arc<Self>, state: Snapshot) -> bool {
        if !state.polls_few() {
            return self.check_rest();
        }
        let (first, second) = match &self.body {
            Body::Derived(derived) => match derived.edges.front() {
                Some((first, second)) => (&first.node, &second.node),
                None => return self.check_front_of_many(derived),
            },
            _ => (self, self),
        };
        self.check_front(first, second)
    }

    /// [`Node::check_few`] for a longer list.
    #[inline(never)]
    fn check_front_of_many(self: &Arc<Self>, derived: &Derived) -> bool {
        match derived.edges.as_slice() {
            [first, second, ..] => self.check_front(&first.node, &second.node),
            _ => self.check_rest(),
        }
    }

    /// Calls the first condition, or spends the only counter.
    #[inline]
    fn check_front(self: &Arc<Self>, first: &Arc<Node>, second: &Arc<Node>) -> bool {
        // Not one match, which would be compiled with the counter first.
        if let Body::Condition(condition) = &first.body {
            return condition.check(self, second);
        }
        match &first.body {
            Body::Counter(counter) => !counter.try_spend() && self.refuse_rest(first),
            _ => self.check_rest(),
        }
    }

    /// Goes on with [`Node::check_few`] after the first condition, which is not satisfied. `next` follows it in the list.
    #[inline]
    pub(super) fn check_next(self: &Arc<Self>, next: &Arc<Node>) -> bool {
        // It may have been cancelled during the call.
        if self.state.is_pushed_with_counters() {
            if let Body::Counter(counter) = &next.body {
                return !counter.try_spend() && self.refuse_rest(next);
            }
        } else if self.state.is_pushed() {
            return false;
        }
        self.check_after_first()
    }

    /// [`Node::check_next`] after any other answer.
    #[cold]
    pub(super) fn check_answered(self: &Arc<Self>, answer: Answer) -> bool {
        let first = match self.edges() {
            [first, ..] => &first.node,
            [] => self,
        };
        if first.take_answer(answer) {
            return self.fire(first);
        }
        self.check_after_first()
    }

    /// Refuses a check for which a counter had no unit left.
    #[cold]
    pub(super) fn refuse(self: &Arc<Self>, counter: &Arc<Node>) -> bool {
        if let Some(counter) = counter.counter() {
            counter.refuse();
        }
        self.fire(counter)
    }

    /// A check of any node.
    pub(super) fn check_in_full(self: &Arc<Self>) -> bool {
        if self.state.is_pushed() {
            self.check_polled()
        } else {
            self.check_slowly()
        }
    }

    /// [`Node::check_in_full`] of a node that is not armed, or is cancelled.
    #[cold]
    fn check_slowly(self: &Arc<Self>) -> bool {
        self.peek() || self.state.get().has_polled() && self.check_polled()
    }

    /// Calls the conditions, then spends the counters.
    #[inline]
    fn check_polled(self: &Arc<Self>) -> bool {
        let Body::Derived(derived) = &self.body else {
            return self.check_leaf();
        };
        let polled = derived.polled();
        match polled.last() {
            Some(Edge { node, .. }) if matches!(node.body, Body::Derived(_)) => self.check_nested(),
            _ => self.check_list(polled),
        }
    }

    /// [`Node::check_polled`] without edges.
    #[cold]
    fn check_leaf(self: &Arc<Self>) -> bool {
        match &self.body {
            Body::Counter(counter) => !counter.spend() && self.fire(self),
            // It may have been cancelled during the call.
            _ => has_satisfied(self) && self.fire(self) || self.is_marked(),
        }
    }

    /// [`Node::check_polled`] after the first condition.
    #[cold]
    fn check_after_first(self: &Arc<Self>) -> bool {
        match &self.body {
            Body::Derived(derived) => self.check_list(&derived.polled()[1..]),
            _ => self.is_marked(),
        }
    }

    /// Calls the conditions at the front of a list, then spends the counters after them.
    #[inline(never)]
    fn check_list(self: &Arc<Self>, mut edges: &[Edge]) -> bool {
        while let [Edge { node, .. }, rest @ ..] = edges {
            let Body::Condition(condition) = &node.body else {
                break;
            };
            if is_satisfied(node, condition) {
                return self.fire(node);
            }
            edges = rest;
        }
        // It may have been cancelled during a call.
        if self.state.is_pushed() {
            self.spend(edges)
        } else {
            self.was_cancelled_meanwhile() || self.spend(edges)
        }
    }

    /// Spends the counters at the front of a list.
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

    /// [`Node::check_list`] through derived nodes.
    #[cold]
    fn check_nested(self: &Arc<Self>) -> bool {
        if self.state.has_conditions() {
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
        match self.only_counter() {
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
        match self.only_counter() {
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
    fn only_counter(self: &Arc<Self>) -> Option<(&Arc<Node>, &Counter)> {
        let node = match &self.body {
            Body::Derived(derived) => match derived.polled() {
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

    /// Takes the answer of a call, or calls the condition if it was not called. Returns whether it is satisfied.
    pub(super) fn take_answer(self: &Arc<Self>, answer: Answer) -> bool {
        let Some(condition) = self.condition() else {
            return false;
        };
        match answer {
            Answer::No => false,
            Answer::Yes => condition.record(Some(true)),
            Answer::Failed => condition.record(None),
            Answer::NotCalled => {
                if condition.must_report_checks() && !condition.is_called_here() {
                    polling::checked(condition, self);
                }
                condition.call()
            }
        }
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
        answer => rest::conditions().is_some_and(|all| (all.take_answer)(node, answer)),
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
