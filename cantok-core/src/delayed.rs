//! Tokens that are cancelled some time after another one, their source.
//!
//! The deadline is set when the source is cancelled, by a waker that is registered there. From then on the token is a
//! leaf with a deadline, like a timeout. If it is dropped with detached callbacks, an orphan gets them. The orphan does
//! not own the source: a detached callback of the source owns the orphan.

use crate::adapter::TokenAdapterExt as _;
use crate::node::{Body, Delayed, Kind, Node, Waiter};
use crate::sync::{Arc, Weak};
use crate::{CancellationError, Token};
use std::task::{Wake, Waker};
use std::time::Duration;

impl Token {
    /// Makes a token that is cancelled `delay` after this one, with the same error. It can be cancelled without this
    /// one.
    ///
    /// Use it for a graceful shutdown in two phases: the token stops new work, the delayed one stops what has not ended
    /// by then. The error has the same [cause](CancellationError::cause), and [`is_from`](CancellationError::is_from)
    /// finds the same token.
    ///
    /// Checking the result does not check this token. If a deadline or a condition cancels this token, the delay counts
    /// from that [instant](CancellationError::at); a condition is called at its interval, as for a
    /// [callback](Token::on_cancel). A delay that the clock cannot represent lasts for ever. One of zero makes a
    /// [child](Token::child).
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::SimpleToken;
    /// use std::time::Duration;
    ///
    /// let stop = SimpleToken::new().named("stop");
    /// let kill = stop.delayed(Duration::from_millis(5));
    /// stop.cancel();
    /// // No new work from here on; what runs has 5 ms to end.
    /// let error = kill.wait();
    /// assert_eq!(error.to_string(), "stop: cancelled");
    /// assert!(error.is_from(&stop));
    /// ```
    ///
    /// # Panics
    ///
    /// If the operating system refuses a thread that this token needs, as [`std::thread::spawn`] does.
    #[must_use]
    pub fn delayed(&self, delay: Duration) -> Token {
        let source = self.node();
        if source.kind() == Kind::Never || delay == Duration::ZERO {
            return Token::from_node(Node::child_of(source));
        }
        let node = leaf(Delayed::new(
            Some(Arc::clone(source)),
            delay,
            leave_to_orphan,
        ));
        if let Err(refused) = node.start_timer() {
            panic!("failed to spawn thread: {refused}");
        }
        let waker = Waker::from(Arc::new(Begin(Arc::downgrade(&node))));
        node.attach(Box::new(self.register_owned(&waker)));
        Token::from_node(node)
    }
}

fn leaf(delayed: Delayed) -> Arc<Node> {
    Node::leaf(Kind::Delayed, None, true, || Body::Delayed(delayed))
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

/// Hands the detached callbacks of a delayed node, which is being dropped, to an orphan that is cancelled when that node
/// would have been.
fn leave_to_orphan(delayed: &Delayed, callbacks: Vec<Waiter>) {
    let orphan = leaf(Delayed::new(None, delayed.after, leave_to_orphan));
    for callback in callbacks {
        // Nothing can have cancelled it.
        let _ = orphan.insert(callback);
    }
    if let Some(error) = delayed.error.get() {
        return begin_alone(&orphan, error);
    }
    if let Some(source) = &delayed.source {
        Token::from_node(Arc::clone(source))
            .on_cancel(move |error| begin_alone(&orphan, error))
            .detach();
    }
}

/// Begins the delay of an orphan. From now on only the timer can cancel it, which refers to it weakly, so it owns
/// itself.
fn begin_alone(orphan: &Arc<Node>, error: &CancellationError) {
    if orphan.delayed().is_some_and(|delayed| delayed.begin(error)) {
        let _ = orphan.insert(Waiter::Itself(Arc::clone(orphan)));
        orphan.set_alarm_now();
    }
}
