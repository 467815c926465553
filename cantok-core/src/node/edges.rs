//! A node's list of edges. Up to three, as in almost every node, take no allocation.

use super::{Kind, Node};
use crate::sync::{Arc, AtomicU32, Ordering, Weak, fence};
use std::mem::{forget, replace, take};

/// A node that is watched.
pub(super) struct Edge {
    pub(super) node: Arc<Node>,
    /// The key of the link among the waiters of `node`, plus one; 0 without a link. Written under the lock of the
    /// watching node's waiters.
    link: AtomicU32,
    /// The number of the operand, counted from one. 0 for an edge copied from an operand.
    pub(super) operand: u32,
}

impl Edge {
    pub(super) fn new(node: Arc<Node>, operand: u32) -> Self {
        Edge {
            node,
            link: AtomicU32::new(0),
            operand,
        }
    }

    pub(super) fn is_linked(&self) -> bool {
        // Relaxed: written under a lock that the caller holds, unless there is no other reference.
        self.link.load(Ordering::Relaxed) != 0
    }

    /// Whether only its deadline can cancel the node, and the watching node has that deadline too. This holds for a
    /// timeout that has no handle and that no other node watches.
    pub(super) fn is_mere_deadline(&self) -> bool {
        if self.node.kind() != Kind::Timeout || Arc::strong_count(&self.node) > 1 {
            return false;
        }
        // Acquire: pairs with the release by which the handles were dropped.
        fence(Ordering::Acquire);
        !self.node.is_marked() && !self.node.is_downgraded.load(Ordering::Relaxed)
    }

    pub(super) fn set_link(&self, key: u32) {
        // Relaxed: as in `is_linked`. The drop of the watching node also reads it, when no other thread can.
        self.link.store(key + 1, Ordering::Relaxed);
    }

    /// Removes the link, if there is one. Requires that no other thread refers to the watching node.
    #[inline]
    pub(super) fn unlink(&mut self) {
        // Relaxed: as in `is_linked`.
        if let Some(key) = self.link.load(Ordering::Relaxed).checked_sub(1) {
            self.remove_link(key);
        }
    }

    #[inline(never)]
    fn remove_link(&mut self, key: u32) {
        // Relaxed: there is no other reference.
        self.link.store(0, Ordering::Relaxed);
        // Once everything below that node is marked, the link is gone (invariant 4).
        if !self.node.is_complete() {
            drop(self.node.unregister::<Weak<Node>>(key));
        }
    }
}

/// With a tag of its own, because checks read it: a tag in a niche takes several instructions to decode.
#[derive(Default)]
#[repr(u8)]
pub(super) enum Edges {
    #[default]
    None,
    One([Edge; 1]),
    Two([Edge; 2]),
    Three([Edge; 3]),
    Many(Vec<Edge>),
}

impl Edges {
    #[inline]
    pub(super) fn as_slice(&self) -> &[Edge] {
        match self {
            Edges::None => &[],
            Edges::One(edges) => edges,
            Edges::Two(edges) => edges,
            Edges::Three(edges) => edges,
            Edges::Many(edges) => edges,
        }
    }

    /// The first two edges of a short list. The only edge counts as both.
    #[inline]
    pub(super) fn front(&self) -> Option<(&Edge, &Edge)> {
        match self {
            Edges::Two([first, second]) | Edges::Three([first, second, _]) => Some((first, second)),
            Edges::One([only]) => Some((only, only)),
            // The others by name would make this a jump through a table.
            _ => None,
        }
    }

    #[inline]
    pub(super) fn is_one(&self) -> bool {
        matches!(self, Edges::One(_))
    }

    pub(super) fn as_mut_slice(&mut self) -> &mut [Edge] {
        match self {
            Edges::None => &mut [],
            Edges::One(edges) => edges,
            Edges::Two(edges) => edges,
            Edges::Three(edges) => edges,
            Edges::Many(edges) => edges,
        }
    }

    pub(super) fn push(&mut self, node: Arc<Node>, operand: u32) {
        // Each arm makes the edge in place: reading it back from the stack would wait for its separate writes.
        let grown = match take(self) {
            Edges::None => Edges::One([Edge::new(node, operand)]),
            Edges::One([first]) => Edges::Two([first, Edge::new(node, operand)]),
            Edges::Two([first, second]) => Edges::Three([first, second, Edge::new(node, operand)]),
            Edges::Three([first, second, third]) => {
                let mut many = Vec::with_capacity(8);
                many.push(first);
                many.push(second);
                many.push(third);
                many.push(Edge::new(node, operand));
                Edges::Many(many)
            }
            Edges::Many(mut many) => {
                many.push(Edge::new(node, operand));
                Edges::Many(many)
            }
        };
        // The old value owns nothing, so it is not dropped.
        forget(replace(self, grown));
    }

    /// Passes the edges to `f`, in order.
    #[inline]
    pub(super) fn take(self, mut f: impl FnMut(Edge)) {
        match self {
            Edges::None => {}
            Edges::One([only]) => f(only),
            Edges::Two([first, second]) => {
                f(first);
                f(second);
            }
            Edges::Three([first, second, third]) => {
                f(first);
                f(second);
                f(third);
            }
            Edges::Many(edges) => {
                for edge in edges {
                    f(edge);
                }
            }
        }
    }
}
