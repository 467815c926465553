//! What a node is derived from. Flattened when it is made, so that a check goes through one short list instead of a tree.

use super::Node;
use super::addresses::{Addresses, address};
use super::delayed::Delayed;
use super::edges::{Edge, Edges};
use crate::leaves::{Condition, Counter, Idle, MovingDeadline};
use crate::sync::Arc;
use std::time::{Duration, Instant};

/// The edges of an operand that has more are not copied into what derives from it: the operand is armed and watched
/// alone. So lists stay short at any depth.
pub(super) const LIMIT: usize = 16;

/// What a node watches. With a tag of its own, as [`Edges`] has.
#[repr(u8)]
pub(crate) enum Body {
    /// Nothing.
    Plain,
    /// [`Node::deadline`], which was so long after the token's creation.
    Deadline(Duration),
    Idle(Idle),
    Delayed(Delayed),
    /// Not part of the node, since the background thread keeps what it asks and must not count as a handle.
    Condition(Arc<Condition>),
    Counter(Counter),
    Derived(Derived),
}

/// When a check asks an edge. A deadline that moves is not asked by checks of an armed node, but kept with the edges that
/// are, so that it is found in any sum.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Rank {
    Condition,
    Counter,
    Moving,
    /// A derived node that stands for all that its own checks ask.
    Nested,
    NotPolled,
}

/// Through which derived nodes deadlines that move are asked.
#[derive(Clone, Copy)]
pub(super) enum Depth {
    /// All of them, by what users ask once: peeks, and the token that is cancelled.
    Any,
    /// Not those that are armed, which is almost all of them: they leave their deadlines to the timer. So what has to be
    /// done for each node of a million does not visit a million others.
    Unarmed,
}

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
    /// By [`Rank`], and within a rank in the order of the operands, each after the edges that it has itself.
    pub(super) edges: Edges,
    /// How many edges checks ask: those at the front.
    pub(super) polled: u32,
    /// How many operands there were.
    pub(super) operands: u32,
}

impl Derived {
    /// Adds an edge, as the last one of its rank.
    #[inline]
    pub(super) fn push(&mut self, edge: Edge, rank: Rank) {
        self.edges.push(edge);
        if rank != Rank::NotPolled {
            let place = self.end_of(rank);
            self.polled += 1;
            let edges = self.edges.as_mut_slice();
            if place < edges.len() - 1 {
                edges[place..].rotate_right(1);
            }
        }
    }

    /// [`Derived::push`] for a long list: moves one edge of each rank. The order within a rank counts only where two
    /// fire at the same instant. Tells `moved` what is where now.
    pub(super) fn push_to_many(
        &mut self,
        edge: Edge,
        rank: Rank,
        mut moved: impl FnMut(&Edge, usize),
    ) {
        let ranks = [Rank::Condition, Rank::Counter, Rank::Moving, Rank::Nested];
        let later = ranks.map(|rank| self.end_of(rank));
        self.edges.push(edge);
        self.polled += u32::from(rank != Rank::NotPolled);
        let edges = self.edges.as_mut_slice();
        let mut place = edges.len() - 1;
        for end in later.into_iter().skip(rank as usize).rev() {
            edges.swap(end, place);
            moved(&edges[place], place);
            place = end;
        }
        moved(&edges[place], place);
    }

    /// Where the edges of a rank end.
    #[inline]
    fn end_of(&self, rank: Rank) -> usize {
        self.polled()
            .partition_point(|edge| edge.node.rank() <= rank)
    }

    #[inline]
    pub(super) fn polled(&self) -> &[Edge] {
        &self.edges.as_slice()[..self.polled as usize]
    }

    /// Those with deadlines that move, directly or through derived nodes.
    fn moving(&self) -> &[Edge] {
        &self.polled()[self.end_of(Rank::Counter)..]
    }

    /// The first node with a condition or counter for which `is_it` says so, of those that checks ask. Each is asked
    /// once, in operand order, those that are asked through derived nodes included.
    #[cold]
    pub(super) fn find_polled(
        &self,
        is_it: &mut dyn FnMut(&Arc<Node>) -> bool,
    ) -> Option<Arc<Node>> {
        let mut seen = Addresses::default();
        // Instead of recursion, since derived nodes are nested to any depth.
        let mut lists = vec![self.polled().iter()];
        while let Some(list) = lists.last_mut() {
            let Some(Edge { node, .. }) = list.next() else {
                lists.pop();
                continue;
            };
            if !seen.insert(address(node)) {
                continue;
            }
            if let Body::Derived(derived) = &node.body {
                lists.push(derived.polled().iter());
            } else if is_it(node) {
                return Some(Arc::clone(node));
            }
        }
        None
    }
}

impl Node {
    /// Whether and when checks of what is derived from this node ask it. Of a derived node that they ask at all.
    #[inline]
    pub(super) fn rank(&self) -> Rank {
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

    /// The operands in their order.
    pub(super) fn operands(&self) -> Vec<&Arc<Node>> {
        let mut edges: Vec<_> = self
            .edges()
            .iter()
            .filter(|edge| edge.operand > 0)
            .collect();
        edges.sort_unstable_by_key(|edge| edge.operand);
        edges.into_iter().map(|edge| &edge.node).collect()
    }

    /// [`Derived::find_polled`] for any node.
    pub(super) fn find_polled(
        self: &Arc<Self>,
        is_it: &mut dyn FnMut(&Arc<Node>) -> bool,
    ) -> Option<Arc<Node>> {
        match &self.body {
            Body::Derived(derived) => derived.find_polled(is_it),
            _ => is_it(self).then(|| Arc::clone(self)),
        }
    }

    /// The node with the deadline that is this node's.
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

    /// Gives `f` the nodes with a deadline that moves: this one, or those that it watches, through derived nodes of that
    /// depth.
    pub(super) fn for_each_moving<'a>(
        self: &'a Arc<Self>,
        depth: Depth,
        f: &mut dyn FnMut(&'a Arc<Node>),
    ) {
        if self.moves {
            self.visit_moving(depth, f);
        }
    }

    #[cold]
    fn visit_moving<'a>(self: &'a Arc<Self>, depth: Depth, f: &mut dyn FnMut(&'a Arc<Node>)) {
        let Body::Derived(derived) = &self.body else {
            return f(self);
        };
        let mut seen = Addresses::default();
        // Instead of recursion, as in `find_polled`. Empty unless derived nodes are nested.
        let mut nested = Vec::new();
        let mut edges = derived.moving();
        loop {
            for Edge { node, .. } in edges {
                match &node.body {
                    Body::Derived(derived)
                        if node.moves && depth.includes(node) && seen.insert(address(node)) =>
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

    /// The earliest deadline at this moment.
    pub(super) fn earliest_deadline(self: &Arc<Self>) -> Option<Instant> {
        let mut earliest = self.deadline;
        self.for_each_moving(Depth::Any, &mut |node| {
            let at = node.moving().and_then(MovingDeadline::get);
            earliest = earlier(earliest, at);
        });
        earliest
    }

    /// Whether the timer, or who polls, has to mind a deadline.
    pub(super) fn has_deadline(&self) -> bool {
        self.deadline.is_some() || self.moves
    }

    pub(crate) fn idle(&self) -> Option<&Idle> {
        match &self.body {
            Body::Idle(idle) => Some(idle),
            _ => None,
        }
    }

    pub(crate) fn condition(&self) -> Option<&Arc<Condition>> {
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

/// The earlier one of two instants that there may be.
pub(super) fn earlier(left: Option<Instant>, right: Option<Instant>) -> Option<Instant> {
    match (left, right) {
        (Some(left), Some(right)) => Some(left.min(right)),
        (left, right) => left.or(right),
    }
}
