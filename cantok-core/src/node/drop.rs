//! Dropping: a node takes itself out of its sources' lists and releases them with a loop, however deep they go.

use super::Node;
use super::sources::{Entry, Extra, Flags, Operand};
use crate::sync::Arc;

impl Drop for Node {
    fn drop(&mut self) {
        let mut pending = Vec::new();
        let mut next = self.take_apart(&mut pending);
        while let Some(source) = next.or_else(|| pending.pop()) {
            // Whoever has the last reference goes on with that node's sources. The node itself is dropped at the end
            // of the statement, without edges, so this function is entered only once more.
            next = Arc::into_inner(source).and_then(|mut node| node.take_apart(&mut pending));
        }
    }
}

impl Node {
    /// Unregisters the node everywhere and takes its edges: one of them as the result, so that a chain of single
    /// parents needs no list, the others to `pending`.
    fn take_apart(&mut self, pending: &mut Vec<Arc<Node>>) -> Option<Arc<Node>> {
        self.unlink();
        if self.sources.has_polled() {
            self.untold().release(&self.sources);
        }
        if let Some(extra) = self.sources.extra.take() {
            extra.take_apart(pending);
        }
        match std::mem::take(&mut self.sources.flags) {
            Flags::None => None,
            Flags::One(flag) => Some(flag),
            Flags::Many(flags) => {
                pending.extend(flags);
                None
            }
        }
    }
}

impl Extra {
    fn take_apart(self, pending: &mut Vec<Arc<Node>>) {
        fn owners<T>(entries: Vec<Entry<T>>) -> impl Iterator<Item = Arc<Node>> {
            entries.into_iter().filter_map(|entry| match entry {
                Entry::Leaf(watched) => watched.owner,
                Entry::Through(node) => Some(node),
            })
        }
        pending.extend(owners(self.deadlines));
        pending.extend(owners(self.conditions));
        pending.extend(owners(self.counters));
        pending.extend(
            self.operands
                .into_iter()
                .filter_map(|operand| match operand {
                    Operand::Node(node) => Some(node),
                    _ => None,
                }),
        );
    }
}
