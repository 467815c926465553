//! Asking the sources: checks, which may call conditions and spend counters, and looks, which do neither.

use super::mark::{self, Jobs};
use super::sources::{Entry, Found, Leaf, Leaves};
use super::{ARMED, CANCELLED, Kind, LIVE, Node};
use crate::leaves::{Condition, Counter, Deadline, Spent};
use crate::sync::{Arc, Ordering};
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
        // Relaxed: the common answer, "not cancelled", carries no data. Every other answer reads the state again.
        self.state.load(Ordering::Relaxed) != LIVE && self.check_sources()
    }

    /// The rest of [`Node::check`]. Not inlined: in a caller's loop the call costs less than its body does.
    #[inline(never)]
    fn check_sources(self: &Arc<Self>) -> bool {
        // Acquire: see `Node::is_marked`.
        match self.state.load(Ordering::Acquire) {
            LIVE => false,
            CANCELLED => true,
            ARMED => self.check_polled(),
            _ => {
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
        if let Some(fired) = self.find_satisfied() {
            return self.latch(fired);
        }
        // A condition may have cancelled this very token, or taken long enough for others to do so.
        if self.is_marked() {
            return true;
        }
        match self.spend() {
            Some(fired) => self.latch(fired),
            None => false,
        }
    }

    /// Flags and deadlines: what a look finds, and what is pushed to armed nodes. `now` is asked only if there is a
    /// deadline.
    fn find_pushed(self: &Arc<Self>, now: impl FnOnce() -> Instant) -> Option<Fired<'_>> {
        for flag in self.sources.flags.as_slice() {
            if let Some(error) = flag.error() {
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
        Leaves::<Deadline>::of(&self.sources)
            .find(|found| found.leaf.has_passed(now))
            .map(|found| {
                let after = found.leaf.after;
                self.fired(found, Cause::Timeout { after })
            })
    }

    fn find_satisfied(self: &Arc<Self>) -> Option<Fired<'_>> {
        Leaves::<Condition>::of(&self.sources)
            .find(|found| found.leaf.evaluate(found.owner.unwrap_or(self)))
            .map(|found| self.fired(found, Cause::Condition))
    }

    /// A counter without a unit left, among those this node looks at.
    fn find_zero(self: &Arc<Self>) -> Option<Fired<'_>> {
        Leaves::<Counter>::of(&self.sources)
            .find(|found| found.leaf.remaining() == 0)
            .map(|found| {
                let limit = found.leaf.limit;
                self.fired(found, Cause::Counter { limit })
            })
    }

    /// Spends one unit of each counter, unless one has none left.
    fn spend(self: &Arc<Self>) -> Option<Fired<'_>> {
        match self.sources.entries::<Counter>() {
            [] => return None,
            // With a single counter a look would only repeat what spending finds out.
            [Entry::Leaf(only)] if !self.spares(&only.leaf) => {}
            _ => {
                if let Some(fired) = self.find_zero() {
                    return Some(fired);
                }
            }
        }
        let mut exhausted: Option<Jobs> = None;
        let mut refused = None;
        for found in Leaves::<Counter>::of(&self.sources) {
            if self.spares(found.leaf) {
                continue;
            }
            let limit = found.leaf.limit;
            match found.leaf.spend() {
                Spent::Unit => {}
                Spent::LastInDemand => {
                    let fired = self.fired(found, Cause::Counter { limit });
                    let owner = fired.owner.unwrap_or(self);
                    let (_, jobs) = mark::mark(owner, fired.error);
                    exhausted.get_or_insert_default().extend(jobs);
                }
                Spent::Refused => {
                    refused = Some(self.fired(found, Cause::Counter { limit }));
                    break;
                }
            }
        }
        if let Some(jobs) = exhausted {
            jobs.run();
        }
        refused
    }

    /// Whether a check of this node leaves that counter alone: a `direct_only` one is spent only by its own token.
    fn spares(&self, counter: &Counter) -> bool {
        counter.direct_only && self.kind != Kind::Counter
    }

    fn fired<'a, T: Leaf>(self: &Arc<Self>, found: Found<'a, T>, cause: Cause) -> Fired<'a> {
        let origin = found.owner.unwrap_or(self);
        let name = found.name.or(origin.name()).cloned();
        Fired {
            owner: found.owner,
            error: CancellationError::new(cause, name, origin),
        }
    }

    /// Cancels the source's owner and this node, both before any user code runs. Always `true`.
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
        if !self.is_marked() {
            self.latch(self.find_pushed(Instant::now)?);
        }
        self.error()
    }

    /// A look that also finds counters without a unit left, for those who wait.
    pub(crate) fn look_for_zero(self: &Arc<Self>) -> Option<&CancellationError> {
        if self.look().is_none() {
            self.latch(self.find_zero()?);
        }
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

    /// A condition of this node was found satisfied by a thread that polls it on its own.
    pub(crate) fn latch_condition(self: &Arc<Self>, leaf: &Arc<Condition>) -> Jobs {
        let found =
            Leaves::<Condition>::of(&self.sources).find(|found| Arc::ptr_eq(found.leaf, leaf));
        match found {
            Some(found) => self.mark_fired(self.fired(found, Cause::Condition)),
            None => Jobs::default(),
        }
    }

    /// The timer's alarm: latches a deadline that has passed at `now`. The caller runs the jobs.
    pub(crate) fn expire(self: &Arc<Self>, now: Instant) -> Jobs {
        if self.is_marked() {
            return Jobs::default();
        }
        match self.find_pushed(|| now) {
            Some(fired) => self.mark_fired(fired),
            None => Jobs::default(),
        }
    }
}
