use super::handle::{assert_single_handle, set_reason};
use crate::Token;
use crate::leaves::Counter;
use crate::node::{Body, Kind};
use std::error::Error;
use std::time::Instant;

/// A token that lets a number of checks pass, and is cancelled by the one that comes after them.
///
/// Exactly that many checks pass, over all threads and over all sums and children together: a check of a sum spends
/// one unit, too, unless the counter is [`direct_only`](CounterToken::direct_only).
///
/// Only the check that is refused cancels. Peeks, waits and callbacks spend nothing and cancel nothing, so `n` items of
/// `n` are not taken for a partial result, and a [`wait`](Token::wait) for a counter without a unit left lasts until a
/// check is refused. A counter of 0 units is cancelled from the start.
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
    /// A token that lets `limit` checks pass. With zero it is cancelled from the start.
    #[must_use]
    pub fn new(limit: u64) -> Self {
        let body = Body::Counter(Counter::new(limit));
        // Without units it is found cancelled like a timeout that has expired.
        let since = (limit == 0).then(Instant::now);
        CounterToken {
            token: Token::leaf(Kind::Counter, body, since),
        }
    }

    /// Only checks of this token itself spend a unit, no check of a sum or a child. Those are cancelled with it, by the
    /// check of this token that is refused. This is the default of the Python library.
    ///
    /// # Panics
    ///
    /// If the token has a second handle.
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
    #[must_use]
    #[track_caller]
    pub fn direct_only(self) -> Self {
        assert_single_handle(&self.token, "direct_only");
        self.counter().set_direct_only();
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
    /// use cantok_core::CounterToken;
    ///
    /// let attempts = CounterToken::new(3).because("the server refuses connections");
    /// while attempts.keep_on() {}
    /// let message = "the counter of 3 checks is used up: the server refuses connections";
    /// assert_eq!(attempts.check().unwrap_err().to_string(), message);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn because(self, reason: impl Into<Box<dyn Error + Send + Sync + 'static>>) -> Self {
        set_reason(&self.token, reason.into());
        self
    }

    /// How many checks will still pass. This is a peek.
    pub fn remaining(&self) -> u64 {
        self.counter().remaining()
    }

    /// How many checks pass in all.
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
