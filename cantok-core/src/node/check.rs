//! Asking the sources: checks, which may call conditions and spend counters, and looks, which do neither.
//!
//! There is one check, [`Node::check`], in several lengths: the common cases are spared what they do not need. Of the
//! looks there are several, by what they ask besides flags and what they do with what they find:
//!
//! - [`Node::look`] asks the clock if there is a deadline, latches what it finds, and runs callbacks at once;
//!   [`Node::look_first`] and [`Node::expire`] leave callbacks to their caller.
//! - [`Node::looks_cancelled`] and [`Node::look_cheaply`] are the same at the price of a check: of an armed node they
//!   read the state alone.
//! - [`Node::look_for_zero`] and [`Node::look_cheaply_for_zero`] find counters without a unit left as well, and
//!   [`Node::ask`] also calls conditions: for those who wait.
//! - [`Node::peek`] and [`Node::seems_cancelled`] change nothing: for `Display` and `Debug`.

use super::few::Few;
use super::mark::{self, Jobs};
use super::sources::{Entry, Found, Leaf, Leaves, first_of};
use super::state::Phase;
use super::{Kind, Node, unattended};
use crate::leaves::{Answer, Condition, Counter, Deadline, Spent};
use crate::sync::{Arc, Ordering, fence};
use crate::{CancellationError, Cause};
use std::time::Instant;

/// A source that fired.
struct Fired<'a> {
    /// The node the source belongs to, if it is not the asking node itself.
    owner: Option<&'a Arc<Node>>,
    error: CancellationError,
}

impl Node {
    /// A check: `true` if the token is cancelled.
    #[inline]
    pub(crate) fn check(self: &Arc<Self>) -> bool {
        !self.state.is_live() && self.check_sources()
    }

    /// The rest of [`Node::check`]. Not inlined: in a caller's loop the call costs less than its body does.
    ///
    /// Does itself what an armed token with one condition or one counter needs, or with one of each.
    #[inline(never)]
    fn check_sources(self: &Arc<Self>) -> bool {
        if !self.state.get().is_plainly_armed() {
            return self.check_in_full();
        }
        match &self.sources.conditions {
            Few::None => {}
            Few::One(Entry::Leaf(only)) => {
                let answer = only.leaf.ask_plainly();
                if answer != Answer::No {
                    return self.take_answer(answer);
                }
                if self.is_marked() {
                    return true;
                }
            }
            _ => return self.check_in_full(),
        }
        self.check_plain_counters()
    }

    /// Goes on with a check in which the only condition did not just say no.
    #[cold]
    fn take_answer(self: &Arc<Self>, answer: Answer) -> bool {
        match &self.sources.conditions {
            Few::One(Entry::Leaf(only)) if only.leaf.stays_unsatisfied(answer) => {
                self.is_marked() || self.check_plain_counters()
            }
            _ => self.check_in_full(),
        }
    }

    /// Spends one unit of each counter, unless one has none left: then the token is cancelled. For nodes that spare
    /// none.
    #[inline]
    fn check_plain_counters(self: &Arc<Self>) -> bool {
        match &self.sources.counters {
            Few::None => false,
            // With a single counter a look would only repeat what spending finds out.
            Few::One(Entry::Leaf(only)) => match only.leaf.spend() {
                Spent::Unit => false,
                spent => self.end_of_only_counter(spent),
            },
            _ => self.spend_each(),
        }
    }

    #[inline(never)]
    fn check_in_full(self: &Arc<Self>) -> bool {
        match self.state.phase() {
            Phase::Live => false,
            Phase::Cancelled => true,
            Phase::Armed => self.check_polled(),
            Phase::Unarmed => {
                self.count_slow_check();
                match self.find_pushed(Instant::now) {
                    Some(fired) => self.latch(fired),
                    None => self.check_polled(),
                }
            }
        }
    }

    /// Conditions, then counters.
    fn check_polled(self: &Arc<Self>) -> bool {
        self.sources.has_conditions() && self.check_conditions()
            || !self.sources.counters.is_empty() && self.spend_each()
    }

    #[inline]
    fn check_conditions(self: &Arc<Self>) -> bool {
        let satisfied = self.find_satisfied();
        // What was cancelled while the conditions were being asked, perhaps by one of them, came first, and no unit
        // is spent after it.
        let phase = self.state.phase();
        if phase == Phase::Armed && satisfied.is_none() {
            return false;
        }
        self.conclude(phase, satisfied)
    }

    fn conclude(self: &Arc<Self>, phase: Phase, satisfied: Option<Fired<'_>>) -> bool {
        let mut cancelled = phase == Phase::Cancelled;
        if phase == Phase::Unarmed {
            if let Some(fired) = self.find_pushed(Instant::now) {
                cancelled = self.latch(fired);
            }
        }
        match satisfied {
            Some(fired) => self.latch(fired),
            None => cancelled,
        }
    }

    /// Flags and deadlines: what a look finds, and what is pushed to armed nodes. `now` is asked only if there is a
    /// deadline.
    fn find_pushed(self: &Arc<Self>, now: impl FnOnce() -> Instant) -> Option<Fired<'_>> {
        for flag in self.sources.flags.as_slice() {
            if let Some(error) = flag.node.error() {
                return Some(Fired {
                    owner: None,
                    error: error.clone(),
                });
            }
        }
        let earliest = self.sources.earliest()?;
        let now = now();
        if now < earliest {
            return None;
        }
        first_of(&self.sources, |found: Found<'_, Deadline>| {
            let after = found.leaf().after;
            let passed = found.leaf().has_passed(now);
            passed.then(|| self.fired(found, Cause::Timeout { after }))
        })
    }

    #[inline]
    fn find_satisfied(self: &Arc<Self>) -> Option<Fired<'_>> {
        first_of(&self.sources, |found| self.find_this_satisfied(found))
    }

    #[inline]
    fn find_this_satisfied<'a>(
        self: &'a Arc<Self>,
        found: Found<'a, Condition>,
    ) -> Option<Fired<'a>> {
        let answer = found.leaf().ask_plainly();
        if answer == Answer::No || found.leaf().stays_unsatisfied(answer) {
            return None;
        }
        self.find_this_satisfied_in_full(found)
    }

    #[cold]
    fn find_this_satisfied_in_full<'a>(
        self: &'a Arc<Self>,
        found: Found<'a, Condition>,
    ) -> Option<Fired<'a>> {
        if found.leaf().needs_attention() && !found.leaf().is_asked_here() {
            unattended::checked(found.leaf(), found.owner().unwrap_or(self));
        }
        let satisfied = found.leaf().ask();
        satisfied.then(|| self.fired(found, Cause::Condition))
    }

    /// Asks one condition for a thread in `wait`. Latches it if it is satisfied.
    pub(crate) fn check_condition(self: &Arc<Self>, found: Found<'_, Condition>) -> bool {
        match self.find_this_satisfied(found) {
            Some(fired) => self.latch(fired),
            None => false,
        }
    }

    /// A counter without a unit left, among those this node looks at.
    fn find_zero(self: &Arc<Self>) -> Option<Fired<'_>> {
        first_of(&self.sources, |found: Found<'_, Counter>| {
            (found.leaf().remaining() == 0).then(|| self.fired_counter(found))
        })
    }

    #[cold]
    fn end_of_only_counter(self: &Arc<Self>, spent: Spent) -> bool {
        let mut exhausted = Jobs::default();
        let refused = match &self.sources.counters {
            Few::One(Entry::Leaf(only)) => {
                self.end_of_counter(Found::own(only), spent, &mut exhausted)
            }
            _ => None,
        };
        exhausted.run();
        refused.is_some_and(|fired| self.latch(fired))
    }

    #[inline(never)]
    fn spend_each(self: &Arc<Self>) -> bool {
        if let Some(fired) = self.find_zero() {
            return self.latch(fired);
        }
        let mut exhausted = Jobs::default();
        let refused = first_of(&self.sources, |found: Found<'_, Counter>| {
            if self.spares(found.leaf()) {
                return None;
            }
            match found.leaf().spend() {
                Spent::Unit => None,
                spent => self.end_of_counter(found, spent, &mut exhausted),
            }
        });
        exhausted.run();
        refused.is_some_and(|fired| self.latch(fired))
    }

    /// A counter has given its last unit while somebody waits for that, or has none to give.
    #[cold]
    fn end_of_counter<'a>(
        self: &'a Arc<Self>,
        found: Found<'a, Counter>,
        spent: Spent,
        exhausted: &mut Jobs,
    ) -> Option<Fired<'a>> {
        let fired = self.fired_counter(found);
        match spent {
            Spent::Unit => None,
            Spent::Refused => Some(fired),
            Spent::LastInDemand => {
                let (_, jobs) = mark::mark(fired.owner.unwrap_or(self), fired.error);
                exhausted.extend(jobs);
                None
            }
        }
    }

    /// Whether a check of this node leaves that counter alone: a `direct_only` one is spent only by its own token.
    fn spares(&self, counter: &Counter) -> bool {
        counter.is_direct_only() && self.kind != Kind::Counter
    }

    #[cold]
    fn fired_counter<'a>(self: &Arc<Self>, found: Found<'a, Counter>) -> Fired<'a> {
        let limit = found.leaf().limit;
        self.fired(found, Cause::Counter { limit })
    }

    #[cold]
    fn fired<'a, T: Leaf>(self: &Arc<Self>, found: Found<'a, T>, cause: Cause) -> Fired<'a> {
        let origin = found.owner().unwrap_or(self);
        let name = found.name().or(origin.name()).cloned();
        Fired {
            owner: found.owner(),
            error: CancellationError::new(cause, name, origin),
        }
    }

    /// Cancels the source's owner and this node, both before any user code runs. Always `true`.
    #[cold]
    fn latch(self: &Arc<Self>, fired: Fired<'_>) -> bool {
        self.mark_fired(fired).run();
        true
    }

    fn mark_fired(self: &Arc<Self>, fired: Fired<'_>) -> Jobs {
        let Fired { owner, error } = fired;
        // An owner that somebody cancelled first keeps its own cause, and this node then takes over that one, as if
        // it had found the flag.
        let Some(owner) = owner else {
            return mark::mark(self, error).1;
        };
        let (_, mut jobs) = mark::mark(owner, error.clone());
        let error = owner.error().cloned().unwrap_or(error);
        jobs.extend(mark::mark(self, error).1);
        jobs
    }

    /// A look: the cause, if the token is cancelled or a flag or a passed deadline says that it must be. Latches
    /// what it finds.
    pub(crate) fn look(self: &Arc<Self>) -> Option<&CancellationError> {
        // Acquire: pairs with the release of whatever has told this thread of the cancel, if that was read relaxed, as
        // crossbeam reads that a channel is disconnected. Then the mark, which came before, is seen here.
        fence(Ordering::Acquire);
        if !self.is_marked() {
            self.latch(self.find_pushed(Instant::now)?);
        }
        self.error()
    }

    /// A look by a canceller: marks what [`Node::look`] latches, and leaves the rest to the caller.
    pub(crate) fn look_first(self: &Arc<Self>) -> Jobs {
        // Acquire: as in `look`.
        fence(Ordering::Acquire);
        self.look_at(Instant::now)
    }

    fn look_at(self: &Arc<Self>, now: impl FnOnce() -> Instant) -> Jobs {
        if self.is_marked() {
            return Jobs::default();
        }
        match self.find_pushed(now) {
            Some(fired) => self.mark_fired(fired),
            None => Jobs::default(),
        }
    }

    /// [`Node::look`] at the price of [`Node::check`]: of an armed node the deadline is left to the timer.
    #[inline]
    pub(crate) fn looks_cancelled(self: &Arc<Self>) -> bool {
        !self.state.is_pushed() && self.look_at_sources()
    }

    /// The rest of [`Node::looks_cancelled`]. Unlike the rest of a check it is rarely gone through.
    #[cold]
    fn look_at_sources(self: &Arc<Self>) -> bool {
        match self.state.phase() {
            Phase::Live | Phase::Armed => false,
            Phase::Cancelled => true,
            Phase::Unarmed => {
                self.count_slow_check();
                self.find_pushed(Instant::now)
                    .is_some_and(|fired| self.latch(fired))
            }
        }
    }

    /// Whether [`Node::look`] would find anything, at that time.
    pub(super) fn seems_cancelled(&self, now: Instant) -> bool {
        self.is_marked()
            || self
                .sources
                .flags
                .as_slice()
                .iter()
                .any(|flag| flag.node.is_marked())
            || self.sources.earliest().is_some_and(|at| at <= now)
    }

    /// [`Node::looks_cancelled`], with the cause.
    pub(crate) fn look_cheaply(self: &Arc<Self>) -> Option<&CancellationError> {
        if self.looks_cancelled() {
            self.error()
        } else {
            None
        }
    }

    /// A look that also finds counters without a unit left, for those who wait.
    pub(crate) fn look_for_zero(self: &Arc<Self>) -> Option<&CancellationError> {
        self.look().or_else(|| self.look_at_zero())
    }

    /// [`Node::look_for_zero`], with [`Node::look_cheaply`] for [`Node::look`].
    pub(crate) fn look_cheaply_for_zero(self: &Arc<Self>) -> Option<&CancellationError> {
        self.look_cheaply().or_else(|| self.look_at_zero())
    }

    fn look_at_zero(self: &Arc<Self>) -> Option<&CancellationError> {
        self.latch(self.find_zero()?);
        self.error()
    }

    /// Everything that a check asks, without spending a unit.
    pub(crate) fn ask(self: &Arc<Self>) -> Option<&CancellationError> {
        if self.look().is_none() {
            if let Some(fired) = self.find_satisfied() {
                self.latch(fired);
            }
        }
        self.look_for_zero()
    }

    /// What [`Node::look`] would find, without changing anything.
    pub(crate) fn peek(self: &Arc<Self>) -> Option<CancellationError> {
        match self.error() {
            Some(error) => Some(error.clone()),
            None => self.find_pushed(Instant::now).map(|fired| fired.error),
        }
    }

    /// The executor found that condition of this node, its owner, satisfied.
    pub(super) fn latch_condition(self: &Arc<Self>, leaf: &Arc<Condition>) -> Jobs {
        Leaves::of(&self.sources)
            .find(|found| Arc::ptr_eq(found.leaf(), leaf))
            .map(|found| self.mark_fired(self.fired(found, Cause::Condition)))
            .unwrap_or_default()
    }

    /// The timer's alarm: latches a deadline that has passed at `now`. The caller runs the jobs.
    pub(super) fn expire(self: &Arc<Self>, now: Instant) -> Jobs {
        self.look_at(|| now)
    }
}
