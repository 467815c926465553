use super::handle::{assert_single_handle, set_reason};
use crate::Token;
use crate::node::{Body, Condition, Kind, Node, condition, link_conditions};
use crate::sync::{Arc, Ordering};
use std::error::Error;
use std::time::Duration;

/// A token that is cancelled when a check finds its closure returning `true`.
///
/// The closure is called
///
/// - by checks of this token and of everything derived from it, on the thread that checks;
/// - by [`wait`](Token::wait), at an [interval](ConditionToken::poll_interval);
/// - by a background thread, at that interval, while there is a [callback](Token::on_cancel) or a
///   [waker](crate::adapter::TokenAdapterExt::register).
///
/// # Guarantees
///
/// - No check that begins after the closure has returned `true` calls it again, nor [`before`](ConditionToken::before)
///   or [`after`](ConditionToken::after).
/// - A closure that checks its own token sees it as not yet satisfied.
///
/// # Examples
///
/// ```
/// use cantok_core::ConditionToken;
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU32, Ordering};
///
/// let errors = Arc::new(AtomicU32::new(0));
/// let token = ConditionToken::new({
///     let errors = Arc::clone(&errors);
///     move || errors.load(Ordering::Relaxed) > 3
/// });
/// while token.keep_on() {
///     errors.fetch_add(1, Ordering::Relaxed);
/// }
/// assert_eq!(errors.load(Ordering::Relaxed), 4);
/// ```
///
/// # Panics
///
/// A panic in the closure reaches the caller of the check and changes nothing: the next check calls the closure again.
///
/// # Races
///
/// Several threads may call the closure at the same time. A call on the background thread may outlast the last handle;
/// the closure is then dropped on that thread.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ConditionToken {
    token: Token,
}

handle!(ConditionToken);

/// The shortest interval at which a condition is polled.
const SHORTEST_INTERVAL: Duration = Duration::from_micros(50);

impl ConditionToken {
    /// Makes a token that is cancelled when a check finds `condition` returning `true`.
    #[must_use]
    pub fn new(condition: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        ConditionToken::with(move || Some(condition()))
    }

    /// Makes a token with a closure that can fail.
    ///
    /// An `Err` counts as `false`, unless [`on_error`](ConditionToken::on_error) says otherwise. The error itself is
    /// dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::ConditionToken;
    /// use std::fs;
    ///
    /// let token = ConditionToken::fallible(|| fs::exists("stop\0here")).on_error(true);
    /// assert!(token.is_cancelled());
    /// ```
    #[must_use]
    pub fn fallible<E>(condition: impl Fn() -> Result<bool, E> + Send + Sync + 'static) -> Self {
        ConditionToken::with(move || condition().ok())
    }

    fn with(closure: impl Fn() -> Option<bool> + Send + Sync + 'static) -> Self {
        ConditionToken::of(condition(closure))
    }

    fn of(condition: Arc<dyn Condition>) -> Self {
        link_conditions();
        let body = || Body::Condition(condition);
        ConditionToken {
            token: Token::from_node(Node::leaf(Kind::Condition, None, false, body)),
        }
    }

    /// Sets what an `Err` of a [`fallible`](ConditionToken::fallible) closure counts as. The default is `false`.
    ///
    /// # Panics
    ///
    /// If the token has a second handle.
    #[must_use]
    #[track_caller]
    pub fn on_error(self, cancelled: bool) -> Self {
        let condition = self.configured("on_error");
        // Relaxed: this is the only handle; other threads get the value with the token.
        condition.on_error.store(cancelled, Ordering::Relaxed);
        self
    }

    /// Calls `hook` before each call of the closure.
    ///
    /// # Panics
    ///
    /// If the token has a second handle, or already has such a hook.
    #[must_use]
    #[track_caller]
    pub fn before(self, hook: impl Fn() + Send + Sync + 'static) -> Self {
        let condition = self.configured("before");
        let is_first = condition.set_hook(&condition.before, Box::new(hook));
        assert!(is_first, "`before` was called twice for one token");
        self
    }

    /// Calls `hook` after each call of the closure, even if that failed, but not if it panicked.
    ///
    /// # Panics
    ///
    /// If the token has a second handle, or already has such a hook.
    #[must_use]
    #[track_caller]
    pub fn after(self, hook: impl Fn() + Send + Sync + 'static) -> Self {
        let condition = self.configured("after");
        let is_first = condition.set_hook(&condition.after, Box::new(hook));
        assert!(is_first, "`after` was called twice for one token");
        self
    }

    /// Sets the interval at which the closure is called for [`wait`](Token::wait), callbacks and wakers. The default is
    /// 1 ms.
    ///
    /// An interval of less than 50 µs is raised to that, and the background thread rounds it up to a multiple of 66 µs. A
    /// callback or waker that is registered within the interval does not cause another call. Checks call the closure
    /// every time.
    ///
    /// # Panics
    ///
    /// If the token has a second handle.
    #[must_use]
    #[track_caller]
    pub fn poll_interval(self, interval: Duration) -> Self {
        let condition = self.configured("poll_interval");
        condition.set_poll_interval(interval.max(SHORTEST_INTERVAL));
        self
    }

    /// Sets the reason that this token's error carries, like that of [`cancel_with`](Token::cancel_with).
    ///
    /// The reason is at the end of the error's message, and [`reason`](crate::CancellationError::reason) downcasts it.
    /// Pass the error itself, not a box with it.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::ConditionToken;
    ///
    /// let token = ConditionToken::new(|| true).because("the disk is nearly full");
    /// let message = "the cancellation condition was satisfied: the disk is nearly full";
    /// assert_eq!(token.check().unwrap_err().to_string(), message);
    /// ```
    ///
    /// # Panics
    ///
    /// If the token has a second handle, or already has a reason.
    #[must_use]
    #[track_caller]
    pub fn because(self, reason: impl Into<Box<dyn Error + Send + Sync + 'static>>) -> Self {
        set_reason(&self.token, reason.into());
        self
    }

    /// The condition, for a builder. Panics if the token has a second handle.
    #[track_caller]
    fn configured(&self, builder: &str) -> &dyn Condition {
        assert_single_handle(&self.token, builder);
        match self.token.node().condition() {
            Some(condition) => &**condition,
            None => unreachable!("made with it"),
        }
    }
}
