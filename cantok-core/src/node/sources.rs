//! What a node is derived from. It is flattened when the node is made, so that a check goes through one short list
//! instead of a tree.

use super::Node;
use super::addresses::Addresses;
use super::closure::Condition;
use super::delayed::Delayed;
use super::edges::{Edge, Edges};
use crate::leaves::{Counter, Idle, MovingDeadline};
use crate::sync::Arc;
use std::mem::take;
use std::time::Duration;

/// An operand with more edges is armed and watched as a whole, instead of having its edges copied. So lists stay short
/// at any depth.
pub(super) const LIMIT: usize = 16;

/// What a node watches. It has a tag of its own for the same reason as [`Edges`].
#[repr(u8)]
pub(crate) enum Body {
    /// Nothing.
    Plain,
    /// [`Node::deadline`], with the time from the token's creation to it.
    Deadline(Duration),
    Idle(Idle),
    Delayed(Delayed),
    /// Not part of the node, since the background thread keeps a reference that must not count as a handle.
    Condition(Arc<dyn Condition>),
    Counter(Counter),
    Derived(Derived),
}

/// The order in which checks poll edges. Checks of an armed node skip deadlines that move. These rank with the polled
/// edges so that they are found in any sum.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Rank {
    Condition,
    Counter,
    Moving,
    /// A derived node that is polled through its own list.
    Nested,
    NotPolled,
}

/// Which derived nodes a poll searches for deadlines that move.
#[derive(Clone, Copy)]
pub(super) enum Depth {
    /// All of them, for what a user's call does once: peeks, and the token that is cancelled.
    Any,
    /// Only unarmed ones, which are few. Armed nodes leave their deadlines to the timer. So work on each of a million
    /// nodes does not visit a million others.
    Unarmed,
}

/// Called with nodes whose deadlines move.
pub(super) type Visitor<'a, 'f> = &'f mut dyn FnMut(&'a Arc<Node>);

impl Depth {
    fn includes(self, node: &Node) -> bool {
        match self {
            Depth::Any => true,
            Depth::Unarmed => node.state.get().is_unarmed(),
        }
    }
}

/// What a child or a sum watches.
#[derive(Default)]
pub(crate) struct Derived {
    /// By [`Rank`], and within a rank in the order of the operands. Each operand comes after the edges copied from it.
    pub(super) edges: Edges,
    /// How many edges checks poll: those at the front.
    pub(super) polled: u32,
    /// How many operands there were.
    pub(super) operands: u32,
}

impl Derived {
    /// Adds an edge as the last one of its rank.
    #[inline]
    pub(super) fn push(&mut self, node: Arc<Node>, operand: u32, rank: Rank) {
        if rank == Rank::NotPolled {
            return self.edges.push(node, operand);
        }
        let place = self.end_of(rank);
        let last = self.edges.as_slice().len();
        self.polled += 1;
        self.edges.push(node, operand);
        for later in (place..last).rev() {
            self.edges.as_mut_slice().swap(later, later + 1);
        }
    }

    /// The ranks of the edges, in their order.
    pub(super) fn ranks(&self) -> Vec<Rank> {
        let mut ranks = vec![Rank::NotPolled; self.edges.as_slice().len()];
        for (rank, edge) in ranks.iter_mut().zip(self.polled()) {
            *rank = edge.node.rank();
        }
        ranks
    }

    /// Puts edges, with these ranks, into order. As many calls of [`Derived::push`] would take the square of their time.
    pub(super) fn sort(&mut self, ranks: &[Rank]) {
        let mut sorted: [Vec<Edge>; 5] = Default::default();
        let mut ranks = ranks.iter();
        let mut polled = 0;
        take(&mut self.edges).take(|edge| {
            let rank = ranks.next().copied().unwrap_or(Rank::NotPolled);
            polled += u32::from(rank != Rank::NotPolled);
            sorted[rank as usize].push(edge);
        });
        let [mut edges, counters, moving, nested, not_polled] = sorted;
        for more in [counters, moving, nested, not_polled] {
            edges.extend(more);
        }
        self.edges = Edges::Many(edges);
        self.polled = polled;
    }

    /// The end of a rank's edges.
    #[inline]
    fn end_of(&self, rank: Rank) -> usize {
        let polled = self.polled();
        match polled.last() {
            Some(last) if last.node.rank() > rank => {
                polled.partition_point(|edge| edge.node.rank() <= rank)
            }
            _ => polled.len(),
        }
    }

    #[inline]
    pub(super) fn polled(&self) -> &[Edge] {
        &self.edges.as_slice()[..self.polled as usize]
    }

    /// The edges with deadlines that move, their own or those of derived nodes.
    fn moving(&self) -> &[Edge] {
        &self.polled()[self.end_of(Rank::Counter)..]
    }

    /// Finds the first match among the nodes with a condition or counter that checks poll. Visits each node once, in
    /// operand order, including those that are polled through derived nodes.
    #[cold]
    pub(super) fn find_polled(
        &self,
        is_match: &mut dyn FnMut(&Arc<Node>) -> bool,
    ) -> Option<Arc<Node>> {
        let mut seen = Addresses::default();
        // The edges of one list are different nodes.
        let last = self.polled().last();
        let is_nested = last.is_some_and(|edge| edge.node.rank() == Rank::Nested);
        // A list instead of recursion, since derived nodes nest to any depth.
        let mut lists = vec![self.polled().iter()];
        while let Some(list) = lists.last_mut() {
            let Some(Edge { node, .. }) = list.next() else {
                lists.pop();
                continue;
            };
            if is_nested && !seen.insert(node.address(), 0) {
                continue;
            }
            if let Body::Derived(derived) = &node.body {
                lists.push(derived.polled().iter());
            } else if is_match(node) {
                return Some(Arc::clone(node));
            }
        }
        None
    }
}

impl Node {
    /// Whether, and in which order, checks of a derived node poll this one. A derived node ranks as if it were polled.
    #[inline]
    pub(super) fn rank(&self) -> Rank {
        // Most operands, without a jump through a table.
        if let Body::Plain | Body::Deadline(_) = &self.body {
            return Rank::NotPolled;
        }
        match &self.body {
            Body::Condition(_) => Rank::Condition,
            Body::Counter(counter) if !counter.is_direct_only() => Rank::Counter,
            Body::Derived(_) => Rank::Nested,
            Body::Idle(_) | Body::Delayed(_) if self.moves => Rank::Moving,
            _ => Rank::NotPolled,
        }
    }

    pub(super) fn edges(&self) -> &[Edge] {
        match &self.body {
            Body::Derived(derived) => derived.edges.as_slice(),
            _ => &[],
        }
    }

    /// The operands in their order. `None` for one that repeats another.
    pub(super) fn operands(&self) -> Vec<Option<&Arc<Node>>> {
        let Body::Derived(derived) = &self.body else {
            return Vec::new();
        };
        let mut operands = vec![None; derived.operands as usize];
        for edge in derived.edges.as_slice() {
            if let Some(place) = edge.operand.checked_sub(1) {
                operands[place as usize] = Some(&edge.node);
            }
        }
        operands
    }

    /// [`Derived::find_polled`] for any node.
    pub(super) fn find_polled(
        self: &Arc<Self>,
        is_match: &mut dyn FnMut(&Arc<Node>) -> bool,
    ) -> Option<Arc<Node>> {
        match &self.body {
            Body::Derived(derived) => derived.find_polled(is_match),
            _ => is_match(self).then(|| Arc::clone(self)),
        }
    }

    /// The node that this node's deadline comes from.
    pub(super) fn earliest(self: &Arc<Self>) -> &Arc<Node> {
        let mut node = self;
        // The operands of a derived node are among its edges, so one of them has the same deadline.
        while let Some(edge) = node
            .edges()
            .iter()
            .find(|edge| edge.node.deadline == node.deadline)
        {
            node = &edge.node;
        }
        node
    }

    /// This node's own deadline, if it moves.
    pub(super) fn moving(&self) -> Option<&MovingDeadline> {
        match &self.body {
            Body::Idle(idle) => Some(&idle.deadline),
            Body::Delayed(delayed) => Some(delayed.deadline()),
            _ => None,
        }
    }

    /// [`Node::for_each_moving`], called through a pointer.
    #[cold]
    pub(super) fn visit_moving<'a>(self: &'a Arc<Self>, depth: Depth, f: Visitor<'a, '_>) {
        let Body::Derived(derived) = &self.body else {
            return f(self);
        };
        let mut seen = Addresses::default();
        // A list instead of recursion, as in `find_polled`. Empty unless derived nodes are nested.
        let mut nested = Vec::new();
        let mut edges = derived.moving();
        loop {
            for Edge { node, .. } in edges {
                match &node.body {
                    Body::Derived(derived)
                        if node.moves && depth.includes(node) && seen.insert(node.address(), 0) =>
                    {
                        nested.push(derived);
                    }
                    Body::Derived(_) => {}
                    _ => f(node),
                }
            }
            let Some(next) = nested.pop() else { return };
            edges = next.moving();
        }
    }

    /// Whether there is a deadline for the timer, or for a poll.
    #[inline]
    pub(super) fn has_deadline(&self) -> bool {
        self.deadline.is_some() || self.moves
    }

    pub(crate) fn idle(&self) -> Option<&Idle> {
        match &self.body {
            Body::Idle(idle) => Some(idle),
            _ => None,
        }
    }

    pub(crate) fn delayed(&self) -> Option<&Delayed> {
        match &self.body {
            Body::Delayed(delayed) => Some(delayed),
            _ => None,
        }
    }

    pub(crate) fn condition(&self) -> Option<&Arc<dyn Condition>> {
        match &self.body {
            Body::Condition(condition) => Some(condition),
            _ => None,
        }
    }

    pub(crate) fn counter(&self) -> Option<&Counter> {
        match &self.body {
            Body::Counter(counter) => Some(counter),
            _ => None,
        }
    }
}
