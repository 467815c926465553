//! Blocking until a token is cancelled. Needs no other thread: the caller's thread wakes itself for the token's
//! deadline and polls its conditions. Everything else wakes it.

use crate::clock::{self, earlier};
use crate::node::Node;
use crate::parker::Parker;
use crate::sync::Arc;
use crate::{CancellationError, Token};
use std::time::{Duration, Instant};

impl Token {
    /// Blocks until the token is cancelled.
    ///
    /// The thread sleeps until it is woken. Only conditions are polled, each at its
    /// [interval](crate::ConditionToken::poll_interval). No counter is spent, so a used-up counter ends the wait only
    /// when a check is refused. On a token that cannot be cancelled this blocks for ever.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::{SimpleToken, TimeoutToken};
    /// use std::{thread, time::Duration};
    ///
    /// let token = SimpleToken::new() + TimeoutToken::new(Duration::from_millis(5));
    /// let waiter = thread::spawn({
    ///     let token = token.clone();
    ///     move || token.wait()
    /// });
    /// assert_eq!(waiter.join().unwrap().to_string(), "the timeout of 5ms has expired");
    /// ```
    ///
    /// # Panics
    ///
    /// If a condition panics. If this call finds the token cancelled, as [`cancel`](Token::cancel).
    pub fn wait(&self) -> CancellationError {
        loop {
            // Without a limit, `until` returns only with an error.
            if let Some(error) = until(self.node(), None) {
                return error;
            }
        }
    }

    /// [Waits](Token::wait) for at most `limit`. Returns `None` if that time has passed and the token is not cancelled.
    ///
    /// A cancel takes precedence over the limit. A limit of zero calls conditions once and does not wait.
    ///
    /// # Panics
    ///
    /// As [`wait`](Token::wait).
    pub fn wait_timeout(&self, limit: Duration) -> Option<CancellationError> {
        match clock::now().checked_add(limit) {
            Some(at) => self.wait_deadline(at),
            None => Some(self.wait()),
        }
    }

    /// [Waits](Token::wait) until `at` at the latest, like [`wait_timeout`](Token::wait_timeout).
    ///
    /// # Panics
    ///
    /// As [`wait`](Token::wait).
    pub fn wait_deadline(&self, at: Instant) -> Option<CancellationError> {
        until(self.node(), Some(at))
    }

    /// Pauses this thread for `pause`, unless the token is cancelled. This is [`wait_timeout`](Token::wait_timeout) for
    /// `?`.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::{CancellationError, TimeoutToken, Token};
    /// use std::time::Duration;
    ///
    /// fn attempt() -> Option<u32> {
    ///     None // the server is not there
    /// }
    ///
    /// fn connect(token: &Token) -> Result<u32, CancellationError> {
    ///     let mut pause = Duration::from_millis(1);
    ///     loop {
    ///         if let Some(connection) = attempt() {
    ///             return Ok(connection);
    ///         }
    ///         token.sleep(pause)?;
    ///         pause *= 2;
    ///     }
    /// }
    ///
    /// let error = connect(&TimeoutToken::new(Duration::from_millis(10))).unwrap_err();
    /// assert_eq!(error.to_string(), "the timeout of 10ms has expired");
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the token's error at once if the token is cancelled, or becomes cancelled before the pause is over.
    ///
    /// # Panics
    ///
    /// As [`wait`](Token::wait).
    pub fn sleep(&self, pause: Duration) -> Result<(), CancellationError> {
        match self.wait_timeout(pause) {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }
}

/// Returns `None` if `limit` has passed and the token is not cancelled.
fn until(node: &Arc<Node>, limit: Option<Instant>) -> Option<CancellationError> {
    if let Some(error) = node.check_uncounted() {
        return Some(error.clone());
    }
    if limit.is_some_and(|limit| limit <= clock::now()) {
        return None;
    }
    let parker = Arc::new(Parker::new());
    let _registered = Registered {
        node,
        key: node.register(Arc::clone(&parker)).ok(),
    };
    let mut polls = Vec::new();
    for condition in node.conditions() {
        polls.push(PolledCondition::new(condition));
    }
    loop {
        if let Some(error) = node.cancellation() {
            return Some(error.clone());
        }
        let mut wake_at = earlier(limit, node.deadline());
        for poll in &polls {
            wake_at = earlier(wake_at, poll.due);
        }
        parker.park(wake_at);
        if let Some(error) = node.error() {
            return Some(error.clone());
        }
        let now = clock::now();
        if limit.is_some_and(|limit| limit <= now) {
            return node.check_uncounted().cloned();
        }
        // The first one that is satisfied cancels the node, which ends the loop.
        for poll in &mut polls {
            if poll.run_if_due(node, now) {
                break;
            }
        }
    }
}

/// Unregisters the waiter when dropped. Borrowing spares a woken thread the reference count.
struct Registered<'a> {
    node: &'a Arc<Node>,
    key: Option<u32>,
}

impl Drop for Registered<'_> {
    fn drop(&mut self) {
        // The canceller of a marked node takes the waiter out.
        if let Some(key) = self.key.filter(|_| !self.node.is_marked()) {
            self.node.remove(key);
        }
    }
}

/// A condition that is polled at its interval.
struct PolledCondition {
    node: Arc<Node>,
    /// `None` if beyond the clock's range.
    due: Option<Instant>,
}

impl PolledCondition {
    fn new(node: Arc<Node>) -> Self {
        let mut poll = PolledCondition { node, due: None };
        poll.put_off();
        poll
    }

    fn put_off(&mut self) {
        let interval = self
            .node
            .condition()
            .map(|condition| condition.poll_interval());
        self.due = interval.and_then(|interval| clock::now().checked_add(interval));
    }

    fn run_if_due(&mut self, node: &Arc<Node>, now: Instant) -> bool {
        if self.due.is_none_or(|due| due > now) {
            return false;
        }
        let is_cancelled = node.check_condition(&self.node);
        self.put_off();
        is_cancelled
    }
}
