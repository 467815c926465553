//! Timeouts on tokio's clock, for tests that pause it.
//!
//! A [`TimeoutToken`](cantok_core::TimeoutToken) uses the clock of the operating system, which `tokio::time::pause`
//! does not stop. These tokens use tokio's clock. In a paused runtime they expire when you advance the time, or when
//! the runtime is idle. They report the same cause, so the code under test sees no difference.
//!
//! Outside tests prefer `TimeoutToken`. It needs no runtime, and a check sees its deadline even if every thread of the
//! runtime is busy.
//!
//! A paused clock sees only the runtime's own tasks. While blocking work is under way, tokio does not advance the clock
//! by itself; advance it in the test. Work on other threads, such as rayon's, does not count, so the clock may run
//! ahead of it.
//!
//! # Examples
//!
//! ```
//! use cantok_core::{CancellationError, Cause, TimeoutToken, Token};
//! use cantok_tokio::prelude::*;
//! use std::time::Duration;
//!
//! /// Takes its token from the caller.
//! async fn serve(token: &Token) -> Result<(), CancellationError> {
//!     std::future::pending().with_token(token).await
//! }
//!
//! async fn production() {
//!     let _ = serve(&TimeoutToken::new(Duration::from_secs(3600))).await;
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! tokio::time::pause();
//! let hour = Duration::from_secs(3600);
//! let token = cantok_tokio::time::timeout_token(hour);
//! let error = serve(&token).await.unwrap_err(); // at once
//! assert_eq!(error.cause(), &Cause::Timeout { after: hour });
//! # }
//! ```

use crate::cancel_on_wake::token_of;
use cantok_core::adapter::TokenAdapterExt as _;
use cantok_core::{Cause, SimpleToken, Token};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep_until};

/// Returns a token that is cancelled after `duration` on tokio's clock, or never if that is beyond the clock's range.
///
/// # Guarantees
///
/// - The cause is [`Cause::Timeout`] with `duration`, as for a [`TimeoutToken`](cantok_core::TimeoutToken).
/// - It is never early. It is as late as tokio's timer, which rounds up to a millisecond and runs on the runtime's
///   threads.
/// - A task of the runtime wakes tasks and runs callbacks. A panic goes to the panic hook and no further.
/// - The timer ends with the token and everything derived from it. If the runtime is shut down first, the token is no
///   longer cancelled, unless it was due.
///
/// [`Token::deadline`] does not report it, because it is on another clock.
///
/// # Panics
///
/// Outside of a tokio runtime, or if its timer is not enabled, as [`tokio::time::sleep`].
#[track_caller]
#[must_use = "the timer ends with the token"]
pub fn timeout_token(duration: Duration) -> Token {
    match Instant::now().checked_add(duration) {
        Some(at) => expiring(at, duration),
        None => {
            // For the panics of `sleep_until`.
            drop(sleep_until(Instant::now()));
            SimpleToken::new().into()
        }
    }
}

/// Returns a token that is cancelled when tokio's clock reaches `at`. Otherwise it is like [`timeout_token`]. The cause
/// holds the time from now until then.
///
/// # Panics
///
/// As [`timeout_token`].
#[track_caller]
#[must_use = "the timer ends with the token"]
pub fn timeout_token_at(at: Instant) -> Token {
    expiring(at, at.saturating_duration_since(Instant::now()))
}

#[track_caller]
fn expiring(at: Instant, after: Duration) -> Token {
    let sleep = sleep_until(at);
    let runtime = Handle::current();
    token_of(sleep, move |token| {
        let now = {
            // The waking thread may be in another runtime, with another clock.
            let _context = runtime.enter();
            Instant::now()
        };
        // A shutdown of the runtime wakes all its timers.
        if now < at {
            return;
        }
        let cancelling = token.begin_cancel(Cause::Timeout { after });
        // User code must not run in the runtime's timer.
        runtime.spawn(async move { drop(cancelling) });
    })
}
