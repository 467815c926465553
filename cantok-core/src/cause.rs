use crate::Reason;
use std::time::Duration;

/// What cancelled a token. [`CancellationError::cause`](crate::CancellationError::cause) returns it.
///
/// Two causes are equal if they are the same variant with equal fields. Two reasons are equal if they are the same
/// object.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// A call of [`Token::cancel`](crate::Token::cancel), or the drop of a [`DropGuard`](crate::DropGuard).
    Cancelled,
    /// A call of [`Token::cancel_with`](crate::Token::cancel_with), with this reason.
    Reason(Reason),
    /// The closure of a [`ConditionToken`](crate::ConditionToken) returned `true`.
    Condition,
    /// The deadline of a [`TimeoutToken`](crate::TimeoutToken) has passed.
    Timeout {
        /// The time from the token's creation to the deadline.
        after: Duration,
    },
    /// An [`IdleToken`](crate::IdleToken) was not touched for its duration.
    Idle {
        /// The time from the last touch to the deadline.
        after: Duration,
    },
    /// A [`CounterToken`](crate::CounterToken) refused a check because it had no unit left, or was made with none.
    Counter {
        /// How many checks it let pass in all.
        limit: u64,
    },
}
