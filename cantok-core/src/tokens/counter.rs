use super::handle::{assert_single_handle, set_reason};
use crate::Token;
use crate::leaves::Counter;
use crate::node::{Body, Kind, Node};
use std::error::Error;
use std::time::Instant;

/// A token that lets a number of checks pass. The next check is refused, which cancels the token.
///
/// # Guarantees
///
/// - Exactly that many checks pass, over all threads, and over all sums and children together. A check of a sum spends
///   one unit too, unless the counter is [`direct_only`](CounterToken::direct_only).
/// - Only a refused check cancels. Peeks, waits and callbacks spend nothing and cancel nothing, so `n` items of `n` do
///   not count as a partial result.
/// - A [`wait`](Token::wait) for a used-up counter lasts until a check is refused.
/// - A counter of 0 units is cancelled from the start.
///
/// # Examples
///
/// ```
/// use cantok_core::CounterToken;
///
/// let token = CounterToken::new(3);
/// let mut rounds = 0;
/// while token.keep_on() {
///     rounds += 1;
/// }
/// assert_eq!(rounds, 3);
/// assert_eq!(token.remaining(), 0);
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct CounterToken {
    token: Token,
}

handle!(CounterToken);

impl CounterToken {
    /// Makes a token that lets `limit` checks pass. With zero it is cancelled from the start.
    #[must_use]
    pub fn new(limit: u64) -> Self {
        // Without units it is found cancelled like a timeout that has expired.
        let since = (limit == 0).then(Instant::now);
        let body = || Body::Counter(Counter::new(limit));
        CounterToken {
            token: Token::from_node(Node::leaf(Kind::Counter, since, false, body)),
        }
    }

    /// Restricts the counter to checks of this token itself.
    ///
    /// Checks of sums and children spend no unit. These tokens are still cancelled with this one, once a check of it is
    /// refused. The Python library does this by default.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::{CounterToken, SimpleToken};
    ///
    /// let counter = CounterToken::new(1).direct_only();
    /// let sum = &counter + SimpleToken::new();
    /// assert!(sum.keep_on());
    /// assert!(sum.keep_on());
    /// assert!(counter.keep_on());
    /// assert!(counter.is_cancelled());
    /// assert!(sum.is_cancelled());
    /// ```
    ///
    /// # Panics
    ///
    /// If the token has a second handle.
    #[must_use]
    #[track_caller]
    pub fn direct_only(self) -> Self {
        assert_single_handle(&self.token, "direct_only");
        self.counter().set_direct_only();
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
    /// use cantok_core::CounterToken;
    ///
    /// let attempts = CounterToken::new(3).because("the server refuses connections");
    /// while attempts.keep_on() {}
    /// let message = "the counter of 3 checks is used up: the server refuses connections";
    /// assert_eq!(attempts.check().unwrap_err().to_string(), message);
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

    /// Returns how many more checks will pass. This is a peek.
    pub fn remaining(&self) -> u64 {
        self.counter().remaining()
    }

    /// Returns how many checks pass in all.
    pub fn limit(&self) -> u64 {
        self.counter().limit
    }

    fn counter(&self) -> &Counter {
        match self.token.node().counter() {
            Some(counter) => counter,
            None => unreachable!("made with it"),
        }
    }
}
