use crate::Reason;
use std::time::Duration;

/// What cancelled a token. Read it from [`CancellationError::cause`](crate::CancellationError::cause).
///
/// Two causes are equal when they say the same; reasons are equal when they are the same object.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// A call of [`Token::cancel`](crate::Token::cancel), or the drop of a [`DropGuard`](crate::DropGuard).
    Cancelled,
    /// A call of [`Token::cancel_with`](crate::Token::cancel_with), with this reason.
    Reason(Reason),
    /// A [`ConditionToken`](crate::ConditionToken)'s closure returned `true`.
    Condition,
    /// A [`TimeoutToken`](crate::TimeoutToken)'s deadline has passed.
    Timeout {
        /// How long after the token's creation the deadline was.
        after: Duration,
    },
    /// Nothing has touched an [`IdleToken`](crate::IdleToken) for so long.
    Idle {
        /// How long after the last touch the deadline was.
        after: Duration,
    },
    /// A [`CounterToken`](crate::CounterToken) without a unit left refused a check, or was made with none.
    Counter {
        /// How many checks it allowed in all.
        limit: u64,
    },
}
