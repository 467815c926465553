//! Deadlines that move: finding them among a node's sources.

use super::fired::Found;
use super::sources::{Depth, Visitor};
use super::{Node, rest};
use crate::clock::earlier;
use crate::leaves::MovingDeadline;
use crate::sync::Arc;
use std::time::Instant;

impl Node {
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
                Some(error) => (error.at(), Found::Error(error)),
                None => match node.moving().and_then(|deadline| passed(deadline, now)) {
                    Some(at) => (at, Found::Fired(node)),
                    None => return,
                },
            };
            if first.as_ref().is_none_or(|(first, _)| at < *first) {
                first = Some((at, found));
            }
        });
        first.map(|(_, found)| found)
    }
}
