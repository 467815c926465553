//! The feature `enough`: tokens for libraries that take an [`enough::Stop`].

use crate::{CancellationError, Cause, DefaultToken, Token};
use enough::{AsStopReason, Stop, StopReason};

/// Each call is one check. [`Token::cancellation`] returns the whole error afterwards.
///
/// # Examples
///
/// ```
/// use cantok_core::{CounterToken, TimeoutToken};
/// use enough::{Stop, StopReason};
/// use std::time::Duration;
///
/// /// A codec that knows nothing of tokens.
/// fn decode(rows: u32, stop: impl Stop) -> Result<u32, StopReason> {
///     for _ in 0..rows {
///         stop.check()?;
///     }
///     Ok(rows)
/// }
///
/// let token = TimeoutToken::new(Duration::from_secs(60)) + CounterToken::new(100);
/// assert_eq!(decode(10, &token), Ok(10));
/// assert_eq!(decode(1000, &token), Err(StopReason::Cancelled));
/// assert_eq!(decode(10, TimeoutToken::new(Duration::ZERO)), Err(StopReason::TimedOut));
/// ```
impl Stop for Token {
    #[inline]
    fn check(&self) -> Result<(), StopReason> {
        if self.is_cancelled() {
            return Err(reason(&self.latched()));
        }
        Ok(())
    }

    #[inline]
    fn should_stop(&self) -> bool {
        self.is_cancelled()
    }

    #[inline]
    fn may_stop(&self) -> bool {
        self.can_be_cancelled()
    }
}

impl Stop for DefaultToken {
    #[inline]
    fn check(&self) -> Result<(), StopReason> {
        Ok(())
    }

    #[inline]
    fn may_stop(&self) -> bool {
        false
    }
}

/// Returns [`TimedOut`](StopReason::TimedOut) for deadlines, those of idle tokens included; otherwise
/// [`Cancelled`](StopReason::Cancelled).
impl AsStopReason for CancellationError {
    fn as_stop_reason(&self) -> Option<StopReason> {
        Some(reason(self))
    }
}

fn reason(error: &CancellationError) -> StopReason {
    match error.cause() {
        Cause::Timeout { .. } | Cause::Idle { .. } => StopReason::TimedOut,
        _ => StopReason::Cancelled,
    }
}
