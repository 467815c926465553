//! A token that is cancelled some time after another one, its source.
//!
//! Its deadline is set when the source is cancelled, by a waker that is registered there. From then on it is a leaf
//! with a deadline, like a timeout. If it is dropped with detached callbacks, an orphan gets them. The orphan does not
//! own the source: a detached callback of the source owns the orphan.

use super::{Body, Kind, Node, Waiter};
use crate::adapter::{TokenAdapterExt as _, WakerRegistration};
use crate::clock;
use crate::leaves::MovingDeadline;
use crate::sync::{Arc, OnceLock, Weak};
use crate::{CancellationError, Token};
use std::task::{Wake, Waker};
use std::time::Duration;

pub(crate) struct Delayed {
    /// `None` for an orphan.
    pub(super) source: Option<Arc<Node>>,
    pub(super) after: Duration,
    /// The source's error, from whose instant the deadline counts. It is set before the deadline.
    pub(super) error: OnceLock<CancellationError>,
    deadline: MovingDeadline,
    /// Called through a pointer, so that programs without delayed tokens are linked without it.
    leave: fn(&Node, Vec<Waiter>),
}

impl Delayed {
    fn new(source: Option<Arc<Node>>, after: Duration) -> Self {
        Delayed {
            source,
            after,
            error: OnceLock::new(),
            deadline: MovingDeadline::new(None),
            leave: Node::leave_to_orphan,
        }
    }

    /// Whether the source or the timer would still have cancelled the node, which is being dropped. `false` for an
    /// orphan, and for a delay beyond the clock's range.
    pub(super) fn goes_on(&self) -> bool {
        self.source.is_some() && clock::now().checked_add(self.after).is_some()
    }

    /// [`Node::leave_to_orphan`].
    pub(super) fn leave(&self, node: &Node, callbacks: Vec<Waiter>) {
        (self.leave)(node, callbacks);
    }

    /// The deadline, which is set once the source is marked.
    pub(super) fn deadline(&self) -> &MovingDeadline {
        if self.deadline.get().is_none() {
            if let Some(error) = self.source.as_ref().and_then(|source| source.error()) {
                self.begin(error);
            }
        }
        &self.deadline
    }

    fn begin(&self, error: &CancellationError) {
        // Several threads may come here, all with the same error.
        let _ = self.error.set(error.clone());
        self.deadline.set(error.at().checked_add(self.after));
    }
}

/// The waker of a delayed node.
struct Begin(Weak<Node>);

impl Wake for Begin {
    fn wake(self: Arc<Self>) {
        // Without a lock, since this may drop the node.
        if let Some(node) = self.0.upgrade() {
            node.set_alarm_now();
        }
    }
}

impl Node {
    /// Makes a node that is cancelled `after` the cancel of `source`.
    ///
    /// # Panics
    ///
    /// If the operating system refuses a thread that this needs, as `std::thread::spawn` does.
    pub(crate) fn delayed(source: &Arc<Node>, after: Duration) -> Arc<Node> {
        if source.kind == Kind::Never || after == Duration::ZERO {
            return Node::child_of(source);
        }
        let node = Node::leaf_of(Delayed::new(Some(Arc::clone(source)), after));
        if let Err(refused) = node.start_timer() {
            panic!("failed to spawn thread: {refused}");
        }
        let waker = Waker::from(Arc::new(Begin(Arc::downgrade(&node))));
        let registration: WakerRegistration =
            Token::from_node(Arc::clone(source)).register_owned(&waker);
        node.attach(Box::new(registration));
        node
    }

    fn leaf_of(delayed: Delayed) -> Arc<Node> {
        Node::leaf(Kind::Delayed, None, true, || Body::Delayed(delayed))
    }

    /// Hands the detached callbacks of this node, which is being dropped, to an orphan that is cancelled when this node
    /// would have been.
    fn leave_to_orphan(&self, callbacks: Vec<Waiter>) {
        let Body::Delayed(delayed) = &self.body else {
            return;
        };
        let orphan = Node::leaf_of(Delayed::new(None, delayed.after));
        for callback in callbacks {
            // Nothing can have cancelled it.
            let _ = orphan.insert(callback);
        }
        if let Some(error) = delayed.error.get() {
            return orphan.begin_alone(error);
        }
        if let Some(source) = &delayed.source {
            Token::from_node(Arc::clone(source))
                .on_cancel(move |error| orphan.begin_alone(error))
                .detach();
        }
    }

    /// Begins the delay of an orphan. From now on only the timer can cancel it, which refers to it weakly, so it owns
    /// itself.
    fn begin_alone(self: &Arc<Self>, error: &CancellationError) {
        if let Body::Delayed(delayed) = &self.body {
            delayed.begin(error);
            if delayed.deadline.get().is_some() {
                let _ = self.insert(Waiter::Itself(Arc::clone(self)));
                self.set_alarm_now();
            }
        }
    }
}
