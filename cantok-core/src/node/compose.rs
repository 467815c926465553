//! Composition: the nodes of several tokens become the edges of one.

use super::addresses::Addresses;
use super::edges::{Edge, Edges};
use super::sources::{Body, Derived, LIMIT, Rank};
use super::state::{Polls, State};
use super::{Kind, Node};
use crate::clock::earlier;
use crate::sync::{Arc, Ordering, fence};
use std::iter;
use std::mem::{forget, replace, take};

/// A longer sum is not taken apart but watched as a whole, so that adding to it one by one stays cheap.
const ABSORBED_LIMIT: usize = 256;

/// In longer lists repetitions are found by hashing. A sum that grows one by one stays below this.
const SEARCHED_LIMIT: usize = ABSORBED_LIMIT;

/// A node that nothing else refers to, while operands are added to it.
///
/// A sum without a name that nothing else refers to is absorbed: its edges move in. So is a SimpleToken, which leaves
/// only its parent. Every other operand becomes an edge, after copies of its edges.
struct Composer<'a> {
    node: &'a mut Node,
    /// Whether an operand is cancelled.
    is_cancelled: bool,
    /// Once there are many edges.
    wide: Option<Wide>,
}

/// What a long list needs while operands are added to it, since searching it and inserting into it takes long.
struct Wide {
    /// The places of the edges, by the address of their node.
    index: Addresses,
    /// The ranks of the edges, which are put into order at the end.
    ranks: Vec<Rank>,
}

impl Wide {
    fn of(node: &Node) -> Self {
        let mut index = Addresses::default();
        for (place, edge) in node.edges().iter().enumerate() {
            index.insert(edge.node.address(), place);
        }
        let ranks = match &node.body {
            Body::Derived(derived) => derived.ranks(),
            _ => Vec::new(),
        };
        Wide { index, ranks }
    }
}

impl Node {
    /// Makes a node of that kind that watches these operands; cancelled if one of them is.
    pub(crate) fn derived(kind: Kind, operands: &mut dyn Iterator<Item = Arc<Node>>) -> Arc<Node> {
        Node::link_rest();
        let mut node = Node::flag();
        let mut is_cancelled = false;
        if let Some(node) = Arc::get_mut(&mut node) {
            node.kind = kind;
            let mut composer = node.compose();
            for operand in operands {
                composer.add(operand);
            }
            is_cancelled = composer.finish();
        }
        if is_cancelled {
            node.cancellation();
        }
        node
    }

    /// Makes the sum of two. A left operand that would be absorbed, as in the middle of `a + b + c`, grows in place.
    pub(crate) fn sum(mut left: Arc<Node>, right: Arc<Node>) -> Arc<Node> {
        Node::link_rest();
        if left.is_plain_operand() && right.is_plain_operand() && !Arc::ptr_eq(&left, &right) {
            return Node::pair(left, right);
        }
        let grown = match left.kind {
            Kind::Sum | Kind::Simple => Arc::get_mut(&mut left).filter(|sum| sum.is_absorbable()),
            _ => None,
        };
        let Some(grown) = grown else {
            return Node::derived(Kind::Sum, &mut [left, right].into_iter());
        };
        grown.kind = Kind::Sum;
        let mut composer = grown.compose();
        composer.add(right);
        if composer.finish() {
            left.cancellation();
        }
        left
    }

    /// Makes a node that watches `parent` and nothing else.
    pub(crate) fn child_of(parent: &Arc<Node>) -> Arc<Node> {
        match parent.body {
            Body::Plain if parent.kind == Kind::Never => Node::flag(),
            // Most tokens with children are like this.
            Body::Plain => Node::child_of_plain(Arc::clone(parent)),
            _ => Node::derived(Kind::Simple, &mut iter::once(Arc::clone(parent))),
        }
    }

    /// Begins to add operands to a SimpleToken or a sum that nothing else refers to.
    #[inline]
    fn compose(&mut self) -> Composer<'_> {
        if let Body::Plain = self.body {
            // The old value owns nothing, so it is not dropped.
            forget(replace(&mut self.body, Body::Derived(Derived::default())));
        }
        Composer {
            node: self,
            is_cancelled: false,
            wide: None,
        }
    }

    /// Makes the sum of two plain operands, such as a token and a timeout: most sums are.
    fn pair(left: Arc<Node>, right: Arc<Node>) -> Arc<Node> {
        let is_cancelled = left.is_marked() || right.is_marked();
        let deadline = earlier(left.deadline, right.deadline);
        let ranks = [left.rank(), right.rank()];
        let mut polls = Polls::default();
        let mut polled = 0;
        for (node, rank) in [(&left, ranks[0]), (&right, ranks[1])] {
            if rank != Rank::NotPolled {
                polls.add(node.state.polls());
                polled += 1;
            }
        }
        let moves = left.moves || right.moves;
        let state = State::new(2, deadline.is_some(), polls);
        let ((first, place), (second, other)) = if ranks[1] < ranks[0] {
            ((right, 2), (left, 1))
        } else {
            ((left, 1), (right, 2))
        };
        let body = || {
            Body::Derived(Derived {
                edges: Edges::Two([Edge::new(first, place), Edge::new(second, other)]),
                polled,
                operands: 2,
            })
        };
        let sum = Node::make(Kind::Sum, deadline, state, moves, body);
        if is_cancelled {
            sum.cancellation();
        }
        sum
    }

    #[inline]
    fn child_of_plain(parent: Arc<Node>) -> Arc<Node> {
        Node::link_rest();
        let is_cancelled = parent.is_marked();
        let body = Body::Derived(Derived {
            edges: Edges::One([Edge::new(parent, 1)]),
            polled: 0,
            operands: 1,
        });
        let state = State::new(1, false, Polls::default());
        let child = Arc::new(Node::new(Kind::Simple, body, None, state, false));
        if is_cancelled {
            child.cancellation();
        }
        child
    }

    /// Whether this operand becomes exactly one edge: it has no edges of its own, and neither disappears nor may leave
    /// no trace.
    #[inline]
    fn is_plain_operand(self: &Arc<Self>) -> bool {
        match &self.body {
            Body::Plain => self.kind != Kind::Never && Arc::strong_count(self) > 1,
            Body::Counter(counter) => counter.limit > 0,
            Body::Deadline(_) | Body::Condition(_) | Body::Idle(_) | Body::Delayed(_) => true,
            Body::Derived(_) => false,
        }
    }

    /// Whether this SimpleToken or sum can be taken apart if nothing else refers to it. It must have no waiters and
    /// nothing attached, and its list must be short enough to be searched repeatedly.
    fn is_absorbable(&self) -> bool {
        self.name().is_none()
            && self.edges().len() < ABSORBED_LIMIT
            && self.is_bare()
            && !self.is_marked()
            // An upgraded weak reference could register a waiter meanwhile. Relaxed: see `Node::downgrade`.
            && !self.is_downgraded.load(Ordering::Relaxed)
    }
}

impl Composer<'_> {
    #[inline]
    fn add(&mut self, node: Arc<Node>) {
        if node.is_plain_operand() {
            return self.watch(node);
        }
        if node.kind == Kind::Never {
            return;
        }
        if !matches!(node.kind, Kind::Sum | Kind::Simple) || Arc::strong_count(&node) > 1 {
            return self.watch(node);
        }
        // Acquire: pairs with the release by which other handles were dropped, so that what was done through them is
        // seen here.
        fence(Ordering::Acquire);
        if !node.is_absorbable() {
            return self.watch(node);
        }
        // Fails if a canceller holds a reference. Weak ones, of the node's own links and alarm, do not count.
        match Arc::try_unwrap(node) {
            Ok(node) if node.is_marked() => self.watch(Arc::new(node)),
            Ok(mut node) => self.absorb(&mut node),
            Err(shared) => self.watch(shared),
        }
    }

    fn absorb(&mut self, node: &mut Node) {
        node.disarm();
        self.node.deadline = earlier(self.node.deadline, node.deadline);
        // A plain SimpleToken leaves no trace: nothing can cancel it.
        if let Body::Derived(derived) = &mut node.body {
            let derived = take(derived);
            // The old value owns nothing, so it is not dropped.
            forget(replace(&mut node.body, Body::Plain));
            let before = self.derived().operands;
            self.derived().operands += derived.operands;
            let mut polled = derived.polled;
            derived.edges.take(|edge| {
                let is_polled = polled > 0;
                polled = polled.saturating_sub(1);
                self.absorb_edge(edge, before, is_polled);
            });
        }
    }

    #[inline(never)]
    fn absorb_edge(&mut self, edge: Edge, before: u32, is_polled: bool) {
        let operand = if edge.operand > 0 {
            before + edge.operand
        } else {
            0
        };
        let rank = if is_polled {
            edge.node.rank()
        } else {
            Rank::NotPolled
        };
        self.add_edge(edge.node, operand, rank);
    }

    #[inline]
    fn watch(&mut self, node: Arc<Node>) {
        self.derived().operands += 1;
        let operand = self.derived().operands;
        // A node that another operand watches is already there, with all its edges.
        if self.is_known(&node, operand) {
            return;
        }
        let mut rank = node.rank();
        if let Body::Derived(derived) = &node.body {
            if !self.copy(&node, derived) {
                rank = Rank::NotPolled;
            }
        } else if node.deadline.is_some() {
            // A counter of no units has a deadline, which has passed. No other counter has one.
            if node.kind == Kind::Counter {
                node.cancellation();
            } else {
                self.node.deadline = earlier(self.node.deadline, node.deadline);
            }
        }
        self.is_cancelled |= node.is_marked();
        self.push(node, operand, rank);
    }

    /// Copies the edges of an operand, or has it watched as a whole if there are many. Returns whether checks poll the
    /// operand itself.
    fn copy(&mut self, node: &Arc<Node>, derived: &Derived) -> bool {
        self.node.deadline = earlier(self.node.deadline, node.deadline);
        let edges = derived.edges.as_slice();
        let (copied, is_polled_itself) = if edges.len() <= LIMIT {
            (edges, false)
        } else {
            if node.state.get().is_unarmed() && !node.poll_sources_again() {
                node.arm_for_derived();
                // An edge was cancelled meanwhile. The node must be marked, because it is watched as a whole.
                if node.state.get().is_unarmed() {
                    node.poll_sources_again();
                }
            }
            // Polled edges are copied if they are few.
            let polled = derived.polled();
            if polled.len() <= LIMIT {
                (polled, false)
            } else {
                (&[][..], true)
            }
        };
        for (index, edge) in copied.iter().enumerate() {
            let rank = if index < derived.polled as usize {
                edge.node.rank()
            } else {
                Rank::NotPolled
            };
            self.add_edge(Arc::clone(&edge.node), 0, rank);
        }
        is_polled_itself
    }

    fn add_edge(&mut self, node: Arc<Node>, operand: u32, rank: Rank) {
        if !self.is_known(&node, operand) {
            self.push(node, operand, rank);
        }
    }

    /// Whether there is already an edge to that node. An edge that was no operand becomes one.
    #[inline]
    fn is_known(&mut self, node: &Arc<Node>, operand: u32) -> bool {
        let edges = self.derived().edges.as_slice();
        let known = if edges.len() < SEARCHED_LIMIT {
            edges.iter().position(|edge| Arc::ptr_eq(&edge.node, node))
        } else {
            self.wide().index.get(node.address())
        };
        let Some(known) = known else {
            return false;
        };
        let known = &mut self.derived().edges.as_mut_slice()[known];
        if known.operand == 0 {
            known.operand = operand;
        }
        true
    }

    fn wide(&mut self) -> &mut Wide {
        let Composer { node, wide, .. } = self;
        wide.get_or_insert_with(|| Wide::of(node))
    }

    /// Completes the list. Returns whether an operand is cancelled.
    fn finish(&mut self) -> bool {
        if let Some(Wide { ranks, .. }) = self.wide.take() {
            self.derived().sort(&ranks);
        }
        self.is_cancelled
    }

    #[inline]
    fn push(&mut self, node: Arc<Node>, operand: u32, rank: Rank) {
        let mut polls = self.node.state.polls();
        if rank != Rank::NotPolled {
            polls.add(node.state.polls());
        }
        if rank == Rank::Nested {
            polls.add(Polls::MANY);
        }
        // A deadline that moves is always polled. An operand with a longer list is watched as a whole, and armed.
        self.node.moves |= rank != Rank::NotPolled && node.moves;
        let sum = &mut *self.node;
        let Body::Derived(derived) = &mut sum.body else {
            unreachable!("a typed token is not added to");
        };
        match &mut self.wide {
            None => derived.push(node, operand, rank),
            Some(Wide { index, ranks }) => {
                index.insert(node.address(), ranks.len());
                ranks.push(rank);
                derived.edges.push(node, operand);
            }
        }
        let edges = if derived.edges.is_one() { 1 } else { 2 };
        sum.state = State::new(edges, sum.deadline.is_some(), polls);
    }

    #[inline]
    fn derived(&mut self) -> &mut Derived {
        match &mut self.node.body {
            Body::Derived(derived) => derived,
            _ => unreachable!("a typed token is not added to"),
        }
    }
}
