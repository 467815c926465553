//! Dropping: a node takes itself out of its sources' lists and releases them with a loop, however deep they go.

use super::Node;
use super::few::Few;
use super::sources::{Entry, Operand};
use crate::Cause;
use crate::later::drop_all_nested;
use crate::sync::Arc;
use std::any::Any;

impl Drop for Node {
    fn drop(&mut self) {
        let mut remains = Remains::default();
        let mut next = self.take_apart(&mut remains);
        while let Some(source) = next.or_else(|| remains.sources.pop()) {
            // Whoever has the last reference goes on with that node's sources. The node itself is dropped at the end
            // of the statement, with nothing left in it, so this function is entered only once more.
            next = Arc::into_inner(source).and_then(|mut node| node.take_apart(&mut remains));
        }
        if !remains.users.is_empty() {
            drop_all_nested(remains.users);
        }
    }
}

/// What has yet to be dropped.
#[derive(Default)]
struct Remains {
    sources: Vec<Arc<Node>>,
    /// What belongs to users.
    users: Vec<Box<dyn Any>>,
}

impl Node {
    /// Unregisters the node everywhere and takes its edges: one of them as the result, so that a chain of single
    /// parents needs no list, the others to the remains.
    fn take_apart(&mut self, remains: &mut Remains) -> Option<Arc<Node>> {
        self.unlink();
        if let Some(left) = self.take_subscribers() {
            left.demand.release(self);
            remains.users.extend(left.users);
        }
        if let Some(latched) = self.cause.take() {
            if matches!(latched.error.cause(), Cause::Reason(_)) {
                remains.users.push(Box::new(latched.error));
            }
        }
        if self.sources.has_polled() || self.sources.extra.is_some() {
            self.take_leaves(remains);
        }
        match std::mem::take(&mut self.sources.flags) {
            Few::None => None,
            Few::One(flag) => Some(flag.node),
            Few::Many(flags) => {
                let flags = flags.into_iter().map(|flag| flag.node);
                remains.sources.extend(flags);
                None
            }
        }
    }

    fn take_leaves(&mut self, remains: &mut Remains) {
        let sources = &mut self.sources;
        for condition in remains.push_owners(&mut sources.conditions) {
            remains.push_last(condition);
        }
        remains.push_owners(&mut sources.counters);
        if let Some(mut extra) = sources.extra.take() {
            remains.push_owners(&mut extra.deadlines);
            for operand in extra.operands {
                match operand {
                    Operand::Node(node) => remains.sources.push(node),
                    Operand::Condition(condition) => remains.push_last(condition),
                    Operand::Simple(_) | Operand::Deadline(_) | Operand::Counter(_) => {}
                }
            }
        }
    }
}

impl Remains {
    /// Takes entries apart into the nodes they refer to, and the leaves.
    fn push_owners<T>(&mut self, entries: &mut Few<Entry<T>>) -> Vec<Arc<T>> {
        let mut leaves = Vec::new();
        for entry in entries.drain() {
            match entry {
                Entry::Through(node) => self.sources.push(node),
                Entry::Leaf(watched) => {
                    self.sources.extend(watched.owner);
                    leaves.push(watched.leaf);
                }
            }
        }
        leaves
    }

    /// Gives up a reference. With the last one goes what it refers to.
    fn push_last<T: 'static>(&mut self, shared: Arc<T>) {
        if let Some(last) = Arc::into_inner(shared) {
            self.users.push(Box::new(last));
        }
    }
}
