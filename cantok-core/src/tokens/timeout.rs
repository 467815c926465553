use super::handle::set_reason;
use crate::Token;
use crate::clock;
use crate::node::{Body, Kind, Node};
use std::error::Error;
use std::time::{Duration, Instant};

/// A token that is cancelled when its deadline has passed: never earlier, and later by no more than a thread's wake-up.
/// ([`Token`](Token#guarantees) says what many deadlines add to that.)
///
/// The deadline is on the monotonic clock of [`Instant`].
///
/// # Examples
///
/// ```
/// use cantok_core::{Cause, TimeoutToken};
/// use std::time::Duration;
///
/// let token = TimeoutToken::new(Duration::from_millis(2));
/// while token.keep_on() {}
/// let after = Duration::from_millis(2);
/// assert_eq!(token.cancellation().unwrap().cause(), &Cause::Timeout { after });
/// assert_eq!(token.remaining(), Some(Duration::ZERO));
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct TimeoutToken {
    token: Token,
}

handle!(TimeoutToken);

impl TimeoutToken {
    /// Makes a token that is cancelled `after` this call.
    ///
    /// It is cancelled at once for [`Duration::ZERO`], and never for a duration that the clock cannot represent, such
    /// as [`Duration::MAX`].
    #[must_use]
    pub fn new(after: Duration) -> Self {
        TimeoutToken::with(clock::now().checked_add(after), after)
    }

    /// Makes a token that is cancelled at `deadline`, which may be in the past.
    ///
    /// Its errors report the time from this call to the deadline.
    #[must_use]
    pub fn at(deadline: Instant) -> Self {
        let after = deadline.saturating_duration_since(clock::now());
        TimeoutToken::with(Some(deadline), after)
    }

    fn with(at: Option<Instant>, after: Duration) -> Self {
        TimeoutToken {
            token: Token::from_node(Node::leaf(Kind::Timeout, at, false, || {
                Body::Deadline(after)
            })),
        }
    }

    /// Sets the reason that this token's error carries, like that of [`cancel_with`](Token::cancel_with).
    ///
    /// The reason is at the end of the error's message, and [`reason`](crate::CancellationError::reason) downcasts it.
    /// Pass the error itself, not a box with it.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::TimeoutToken;
    /// use std::time::Duration;
    ///
    /// let token = TimeoutToken::new(Duration::ZERO).because("the printer does not answer");
    /// let message = "the timeout of 0ns has expired: the printer does not answer";
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

    /// Returns the time left: zero if the deadline has passed, `None` if there is none. This is a peek.
    pub fn remaining(&self) -> Option<Duration> {
        let at = self.token.deadline()?;
        Some(at.saturating_duration_since(clock::now()))
    }
}
