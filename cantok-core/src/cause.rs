use crate::Reason;
use std::time::Duration;

/// What cancelled a token. Read it from [`CancellationError::cause`](crate::CancellationError::cause).
///
/// Two causes are equal when they say the same; reasons are equal when they are the same object.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// Somebody called [`Token::cancel`](crate::Token::cancel), or a [`DropGuard`](crate::DropGuard) was dropped.
    Cancelled,
    /// Somebody called [`Token::cancel_with`](crate::Token::cancel_with) and gave this reason.
    Reason(Reason),
    /// A [`ConditionToken`](crate::ConditionToken)'s closure returned `true`.
    Condition,
    /// A [`TimeoutToken`](crate::TimeoutToken)'s deadline has passed.
    Timeout {
        /// How long after the token's creation the deadline was.
        after: Duration,
    },
    /// A [`CounterToken`](crate::CounterToken) had no unit left.
    Counter {
        /// How many checks it allowed in all.
        limit: u64,
    },
}
