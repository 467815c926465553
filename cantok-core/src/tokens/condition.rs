use super::handle::{assert_single_handle, set_reason};
use crate::Token;
use crate::leaves::Condition;
use crate::node::{Body, Kind};
use crate::sync::{Arc, Ordering};
use std::error::Error;
use std::time::Duration;

/// A token that is cancelled when a check finds its closure returning `true`.
///
/// The closure is called by checks, of this token and of everything derived from it, on the thread that checks; by
/// [`wait`](Token::wait), at an [interval](ConditionToken::poll_interval); and on a thread of this crate, at that
/// interval, while there is a [callback](Token::on_cancel) or a [waker](crate::adapter::TokenAdapterExt::register). A
/// call under way there may outlast the last handle, and the closure is then dropped there. Several threads may call it
/// at the same time. No check that begins after the closure has returned `true` calls it again, nor
/// [`before`](ConditionToken::before) or [`after`](ConditionToken::after).
///
/// A closure that checks its own token sees it as not yet satisfied.
///
/// # Panics
///
/// A panic in the closure reaches the caller of the check and changes nothing: the next check calls the closure
/// again.
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
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ConditionToken {
    token: Token,
}

handle!(ConditionToken);

/// The shortest interval at which a condition is polled.
const SHORTEST_INTERVAL: Duration = Duration::from_micros(50);

impl ConditionToken {
    /// A token that is cancelled when a check finds `condition` returning `true`.
    #[must_use]
    pub fn new(condition: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        ConditionToken::with(move || Some(condition()))
    }

    /// The same for a closure that can fail. An `Err` counts as `false`, or as what
    /// [`on_error`](ConditionToken::on_error) says; the error itself is dropped.
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

    fn with(ask: impl Fn() -> Option<bool> + Send + Sync + 'static) -> Self {
        ConditionToken {
            token: Token::leaf(
                Kind::Condition,
                Body::Condition(Arc::new(Condition::new(ask))),
                None,
            ),
        }
    }

    /// What an `Err` of a [`fallible`](ConditionToken::fallible) closure counts as. `false` unless set.
    ///
    /// # Panics
    ///
    /// If the token has a second handle.
    #[must_use]
    #[track_caller]
    pub fn on_error(self, cancelled: bool) -> Self {
        let condition = self.configured("on_error");
        // Relaxed: nobody else has the token; whoever gets it gets this with it.
        condition.on_error.store(cancelled, Ordering::Relaxed);
        self
    }

    /// Has `hook` called before each call of the closure.
    ///
    /// # Panics
    ///
    /// If the token has a second handle, or such a hook already.
    #[must_use]
    #[track_caller]
    pub fn before(self, hook: impl Fn() + Send + Sync + 'static) -> Self {
        let condition = self.configured("before");
        let is_first = condition.set_hook(&condition.before, Box::new(hook));
        assert!(is_first, "`before` was called twice for one token");
        self
    }

    /// Has `hook` called after each call of the closure, even if that failed; not if it panicked.
    ///
    /// # Panics
    ///
    /// If the token has a second handle, or such a hook already.
    #[must_use]
    #[track_caller]
    pub fn after(self, hook: impl Fn() + Send + Sync + 'static) -> Self {
        let condition = self.configured("after");
        let is_first = condition.set_hook(&condition.after, Box::new(hook));
        assert!(is_first, "`after` was called twice for one token");
        self
    }

    /// The interval at which the closure is called for threads in [`wait`](Token::wait), callbacks and wakers: 1 ms
    /// unless set. Less than 50 µs is raised to that. A callback or waker that comes within the interval does not have
    /// the closure called again at once. Checks call it each time.
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

    /// Gives the reason for which the token was made. It is at the end of the message of the token's error, which
    /// [`reason`](crate::CancellationError::reason) downcasts, as one of [`cancel_with`](Token::cancel_with). Pass the
    /// error itself, not a box with it.
    ///
    /// # Panics
    ///
    /// If the token has a second handle, or a reason already.
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
    #[must_use]
    #[track_caller]
    pub fn because(self, reason: impl Into<Box<dyn Error + Send + Sync + 'static>>) -> Self {
        set_reason(&self.token, reason.into());
        self
    }

    /// The condition of a token that has one handle, for a builder.
    #[track_caller]
    fn configured(&self, builder: &str) -> &Condition {
        assert_single_handle(&self.token, builder);
        match self.token.node().condition() {
            Some(condition) => condition,
            None => unreachable!("made with it"),
        }
    }
}
