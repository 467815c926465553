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
        let mut pending = Vec::new();
        let mut users = Vec::new();
        let mut next = self.take_apart(&mut pending, &mut users);
        while let Some(source) = next.or_else(|| pending.pop()) {
            // Whoever has the last reference goes on with that node's sources. The node itself is dropped at the end
            // of the statement, with nothing left in it, so this function is entered only once more.
            next = Arc::into_inner(source)
                .and_then(|mut node| node.take_apart(&mut pending, &mut users));
        }
        drop_all_nested(users);
    }
}

impl Node {
    /// Unregisters the node everywhere and takes its edges: one of them as the result, so that a chain of single
    /// parents needs no list, the others to `pending`. What belongs to users goes to `users`.
    fn take_apart(
        &mut self,
        pending: &mut Vec<Arc<Node>>,
        users: &mut Vec<Box<dyn Any>>,
    ) -> Option<Arc<Node>> {
        self.unlink();
        if let Some(remains) = self.take_remains() {
            remains.demand.release(&self.sources);
            for callback in remains.callbacks {
                push_last(callback, users);
            }
            for attached in remains.attached {
                users.push(attached);
            }
        }
        if let Some(latched) = self.cause.take() {
            if matches!(latched.error.cause(), Cause::Reason(_)) {
                users.push(Box::new(latched.error));
            }
        }
        let sources = &mut self.sources;
        push_owners(&mut sources.conditions, pending, |leaf| {
            push_last(leaf, users)
        });
        push_owners(&mut sources.counters, pending, drop);
        if let Some(mut extra) = sources.extra.take() {
            push_owners(&mut extra.deadlines, pending, drop);
            for operand in extra.operands {
                match operand {
                    Operand::Node(node) => pending.push(node),
                    Operand::Condition(condition) => push_last(condition, users),
                    Operand::Simple(_) | Operand::Deadline(_) | Operand::Counter(_) => {}
                }
            }
        }
        match std::mem::take(&mut sources.flags) {
            Few::None => None,
            Few::One(flag) => Some(flag),
            Few::Many(flags) => {
                pending.extend(flags);
                None
            }
        }
    }
}

fn push_owners<T>(
    entries: &mut Few<Entry<T>>,
    pending: &mut Vec<Arc<Node>>,
    mut take_leaf: impl FnMut(Arc<T>),
) {
    if entries.is_empty() {
        return;
    }
    for entry in entries.drain() {
        match entry {
            Entry::Through(node) => pending.push(node),
            Entry::Leaf(watched) => {
                pending.extend(watched.owner);
                take_leaf(watched.leaf);
            }
        }
    }
}

/// Gives up a reference. With the last one goes what it refers to.
fn push_last<T: 'static>(shared: Arc<T>, users: &mut Vec<Box<dyn Any>>) {
    if let Some(last) = Arc::into_inner(shared) {
        users.push(Box::new(last));
    }
}
