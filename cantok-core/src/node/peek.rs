//! Peeks: what can be found without calling a condition or spending a counter.

use super::edges::Edge;
use super::fired::Found;
use super::sources::{Depth, Visitor};
use super::{Body, Node, rest};
use crate::clock::{self, earlier};
use crate::leaves::MovingDeadline;
use crate::sync::{Arc, Ordering, fence};
use crate::{CancellationError, Cause};
use std::time::Instant;

impl Node {
    /// The earliest cause at the time `now`, or at this moment (invariant 5); of two at the same instant, the leftmost.
    /// The clock is read only if there is a deadline.
    #[inline(never)]
    pub(super) fn find(self: &Arc<Self>, depth: Depth, now: Option<Instant>) -> Option<Found<'_>> {
        if self.moves {
            let now = now.unwrap_or_else(clock::now);
            return rest::moving().and_then(|all| (all.find)(self, depth, now));
        }
        self.find_fixed(now).map(|(_, found)| found)
    }

    /// [`Node::find`] where deadlines move. `passed` decides whether one of them has passed.
    #[cold]
    pub(super) fn find_moving(
        self: &Arc<Self>,
        depth: Depth,
        now: Instant,
        passed: fn(&MovingDeadline, Instant) -> Option<Instant>,
    ) -> Option<Found<'_>> {
        let mut first = self.find_fixed(Some(now));
        self.for_each_moving(depth, &mut |node| {
            let (at, found) = match node.error() {
                Some(error) => (error.moment(), Found::Error(error)),
                None => match node.moving().and_then(|deadline| passed(deadline, now)) {
                    at @ Some(_) => (at, Found::Fired(node)),
                    None => return,
                },
            };
            if first.as_ref().is_none_or(|(first, _)| at < *first) {
                first = Some((at, found));
            }
        });
        first.map(|(_, found)| found)
    }

    /// The earliest cause and its [moment](clock::moment), without deadlines that move.
    #[inline(always)]
    fn find_fixed(self: &Arc<Self>, now: Option<Instant>) -> Option<(Option<Instant>, Found<'_>)> {
        let has_passed = |deadline: &Instant| *deadline <= now.unwrap_or_else(clock::now);
        let passed = self.deadline.filter(has_passed);
        if self.edges().is_empty() {
            return passed.map(|_| (passed, Found::Fired(self)));
        }
        let mut first = None;
        for Edge { node, .. } in self.edges() {
            let (at, found) = match node.error() {
                Some(error) => (error.moment(), Found::Error(error)),
                None => match passed {
                    Some(_) if node.deadline == passed => (passed, Found::Fired(node.earliest())),
                    _ => continue,
                },
            };
            if first.as_ref().is_none_or(|(first, _)| at < *first) {
                first = Some((at, found));
            }
        }
        first
    }

    /// The cause, if the token is cancelled, or must be because of an edge or a passed deadline. Latches what it finds.
    #[inline]
    pub(crate) fn cancellation(self: &Arc<Self>) -> Option<&CancellationError> {
        // Acquire: pairs with a release whose store this thread has read by a relaxed load, as when crossbeam reads
        // that a channel is disconnected. The mark came before that, so it is seen here.
        fence(Ordering::Acquire);
        if self.state.is_pushed() && !self.has_deadline() {
            return None;
        }
        self.find_cancellation()
    }

    #[inline(never)]
    fn find_cancellation(self: &Arc<Self>) -> Option<&CancellationError> {
        let state = self.state.get();
        if state.is_cancelled() {
            return self.error();
        }
        // An armed node's edges push, but its deadline may have passed before the timer's thread has marked it.
        let may_find = state.is_unarmed()
            || self
                .earliest_deadline()
                .is_some_and(|at| at <= clock::now());
        if may_find {
            self.latch(self.find(Depth::Any, None)?);
            return self.error();
        }
        None
    }

    /// Whether the token is cancelled, at the price of a check: an armed node leaves its deadline to the timer.
    #[inline]
    pub(crate) fn peek(self: &Arc<Self>) -> bool {
        !self.state.is_pushed() && self.peek_at_sources()
    }

    /// The rest of [`Node::peek`].
    #[cold]
    fn peek_at_sources(self: &Arc<Self>) -> bool {
        self.state.get().is_cancelled() || self.poll_sources()
    }

    /// Polls the edges and the deadline of an unarmed node, and arms it after many polls.
    #[cold]
    pub(super) fn poll_sources(self: &Arc<Self>) -> bool {
        self.count_slow_check();
        self.poll_sources_again()
    }

    /// [`Node::poll_sources`] once more within the same check.
    #[cold]
    pub(super) fn poll_sources_again(self: &Arc<Self>) -> bool {
        // What `find` does, inlined in the common case.
        let found = if self.moves {
            self.find(Depth::Unarmed, None)
        } else {
            self.find_fixed(None).map(|(_, found)| found)
        };
        found.is_some_and(|found| self.latch(found))
    }

    /// What [`Node::cancellation`] would find, without changing anything.
    pub(super) fn peek_unlatched(self: &Arc<Self>, depth: Depth) -> Option<CancellationError> {
        if let Some(error) = self.error() {
            return Some(error.clone());
        }
        let found = if self.moves {
            self.find_moving(depth, clock::now(), MovingDeadline::passed)
        } else {
            self.find(depth, None)
        };
        Some(match found? {
            Found::Error(error) => error.clone(),
            Found::Fired(node) => node.own_error(),
        })
    }

    /// The error with which this typed token fires now, or fired at its deadline if it has one.
    #[cold]
    pub(super) fn own_error(self: &Arc<Self>) -> CancellationError {
        let deadline = self.deadline.or_else(|| self.moves_to());
        let at = deadline.or_else(clock::moment);
        let cause = match &self.body {
            Body::Deadline(after) => Cause::Timeout { after: *after },
            Body::Idle(idle) => Cause::Idle { after: idle.after },
            Body::Delayed(delayed) => match delayed.error.get() {
                Some(error) => return error.later(at),
                None => unreachable!("it is there before the deadline"),
            },
            Body::Condition(_) => Cause::Condition,
            Body::Counter(counter) => Cause::Counter {
                limit: counter.limit,
            },
            Body::Plain | Body::Derived(_) => Cause::Cancelled,
        };
        CancellationError::new(cause, self.name().cloned(), self.address(), at)
            .because(self.because().cloned())
    }

    /// This node's own deadline at this moment, if it moves.
    pub(super) fn moves_to(&self) -> Option<Instant> {
        if !self.moves {
            return None;
        }
        (rest::moving()?.at)(self)
    }

    /// Passes the nodes with a deadline that moves to `f`: this one, or its sources, through derived nodes of that
    /// depth.
    pub(super) fn for_each_moving<'a>(self: &'a Arc<Self>, depth: Depth, f: Visitor<'a, '_>) {
        if self.moves {
            if let Some(all) = rest::moving() {
                (all.visit)(self, depth, f);
            }
        }
    }

    /// The earliest deadline at this moment.
    pub(super) fn earliest_deadline(self: &Arc<Self>) -> Option<Instant> {
        let mut earliest = self.deadline;
        self.for_each_moving(Depth::Any, &mut |node| {
            earliest = earlier(earliest, node.moves_to());
        });
        earliest
    }
}
