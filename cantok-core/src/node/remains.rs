//! What is dropped after a node, so that nothing recurses.

use super::Node;
use crate::later::drop_caught;
use crate::panic::Panic;
use crate::sync::Arc;

#[derive(Default)]
pub(super) struct Remains {
    /// Nodes without other references, which have yet to be taken apart.
    pub(super) nodes: Vec<Node>,
    /// The first panic of a user's destructor or callback.
    pub(super) panic: Option<Panic>,
}

impl Remains {
    /// Drops a user's value. Compiled for each type, so values that are rarely dropped here are boxed.
    pub(super) fn drop_users<T: 'static>(&mut self, value: T) {
        self.keep(drop_caught(value));
    }

    #[inline(never)]
    pub(super) fn keep(&mut self, panic: Option<Panic>) {
        Panic::keep_first(&mut self.panic, panic);
    }

    /// Releases the node of an edge.
    #[inline(never)]
    pub(super) fn drop_edge(&mut self, node: Arc<Node>) {
        if node.owns_nodes() {
            self.release(node);
        } else {
            self.keep(Panic::catch_drop(node));
        }
    }

    /// Releases a node that may own others. If this is the last reference the node is queued, so that nothing recurses.
    pub(super) fn release(&mut self, node: Arc<Node>) {
        if let Some(node) = Arc::into_inner(node) {
            self.nodes.push(node);
        }
    }
}
