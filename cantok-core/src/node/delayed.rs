//! A token that is cancelled some time after another one.
//!
//! Its deadline is set when the other token is cancelled: a waker is registered there. From then on it is a leaf with a
//! deadline, as a timeout is.

use super::{Body, Kind, Node};
use crate::Token;
use crate::adapter::{TokenAdapterExt as _, WakerRegistration};
use crate::leaves::MovingDeadline;
use crate::sync::{Arc, Weak};
use std::task::{Wake, Waker};
use std::time::Duration;

pub(crate) struct Delayed {
    pub(super) source: Arc<Node>,
    pub(super) after: Duration,
    deadline: MovingDeadline,
}

impl Delayed {
    /// The deadline, which is there once the source is marked.
    pub(super) fn deadline(&self) -> &MovingDeadline {
        if self.deadline.get().is_none() {
            if let Some(error) = self.source.error() {
                self.deadline.set(error.at().checked_add(self.after));
            }
        }
        &self.deadline
    }
}

/// The waker of a delayed node.
struct Begin(Weak<Node>);

impl Wake for Begin {
    fn wake(self: Arc<Self>) {
        // Without a lock, since this may be what drops the node.
        if let Some(node) = self.0.upgrade() {
            node.set_alarm_now();
        }
    }
}

impl Node {
    /// A new node that is cancelled so long after `source`.
    ///
    /// # Panics
    ///
    /// As `std::thread::spawn`, if the operating system refuses a thread that this relies on.
    pub(crate) fn delayed(source: &Arc<Node>, after: Duration) -> Arc<Node> {
        if source.kind == Kind::Never || after == Duration::ZERO {
            return Node::child_of(source);
        }
        let body = Body::Delayed(Delayed {
            source: Arc::clone(source),
            after,
            deadline: MovingDeadline::new(None),
        });
        let node = Node::leaf(Kind::Delayed, body, None);
        if let Err(refused) = node.start_timer() {
            panic!("failed to spawn thread: {refused}");
        }
        let waker = Waker::from(Arc::new(Begin(Arc::downgrade(&node))));
        let registration: WakerRegistration =
            Token::from_node(Arc::clone(source)).register_owned(&waker);
        node.attach(Box::new(registration));
        node
    }
}
