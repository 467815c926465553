//! Dropping: a node takes itself out of its sources' lists and releases them with a loop, however deep they go.

use super::Node;
use super::sources::{Entry, Extra, Flags, Operand};
use crate::later::drop_later;
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
    /// parents needs no list, the others to `pending`. What belongs to users goes its own way.
    fn take_apart(&mut self, pending: &mut Vec<Arc<Node>>) -> Option<Arc<Node>> {
        self.unlink();
        self.release_subscribers();
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

    /// Drops callbacks that were never called, and what is attached.
    fn release_subscribers(&mut self) {
        let remains = self.take_remains();
        remains.demand.release(&self.sources);
        remains.callbacks.into_iter().for_each(drop_last);
        remains.attached.into_iter().for_each(drop_later);
    }
}

impl Extra {
    fn take_apart(self, pending: &mut Vec<Arc<Node>>) {
        fn take_owners<T>(
            entries: Vec<Entry<T>>,
            pending: &mut Vec<Arc<Node>>,
            drop_leaf: fn(Arc<T>),
        ) {
            for entry in entries {
                match entry {
                    Entry::Through(node) => pending.push(node),
                    Entry::Leaf(watched) => {
                        pending.extend(watched.owner);
                        drop_leaf(watched.leaf);
                    }
                }
            }
        }
        take_owners(self.deadlines, pending, drop);
        take_owners(self.conditions, pending, drop_last);
        take_owners(self.counters, pending, drop);
        for operand in self.operands {
            match operand {
                Operand::Node(node) => pending.push(node),
                Operand::Condition((condition, _)) => drop_last(condition),
                Operand::Simple(_) | Operand::Deadline(_) | Operand::Counter(_) => {}
            }
        }
    }
}

/// Gives up a reference to something that may own more tokens.
fn drop_last<T: 'static>(shared: Arc<T>) {
    if let Some(last) = Arc::into_inner(shared) {
        drop_later(last);
    }
}
