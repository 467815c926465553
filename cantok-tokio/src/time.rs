//! Timeouts on tokio's clock, for tests that pause it.
//!
//! A [`TimeoutToken`](cantok_core::TimeoutToken) goes by the clock of the operating system, which `tokio::time::pause`
//! does not stop. These tokens go by tokio's clock: in a paused runtime they expire when the time is advanced, or when
//! the runtime is idle. They report the same cause, so the code under test sees no difference.
//!
//! Outside tests prefer `TimeoutToken`. It needs no runtime, and a check sees its deadline even if every thread of the
//! runtime is busy.
//!
//! A paused clock sees only the runtime's own tasks. While blocking work is under way, tokio does not advance the clock
//! by itself; advance it in the test. Work on other threads, such as rayon's, does not count, so the clock may run ahead
//! of it.
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

/// A token that is cancelled after `duration` on tokio's clock. If that cannot be expressed: never.
///
/// # Guarantees
///
/// - The cause is [`Cause::Timeout`] with `duration`, as for a [`TimeoutToken`](cantok_core::TimeoutToken).
/// - It is never early, and late by tokio's timer, which rounds up to a millisecond and runs on the runtime's threads.
/// - Tasks are woken and callbacks run in a task of the runtime. A panic goes to the panic hook and no further.
/// - [`Token::deadline`] does not report it, as it is on the other clock.
/// - The timer goes with the token and everything derived from it. If the runtime is shut down first, the token is not
///   cancelled any more, unless it was due.
///
/// # Panics
///
/// Outside of a tokio runtime, or if its timer is not enabled, as [`tokio::time::sleep`].
#[track_caller]
#[must_use = "the timer goes with the token"]
pub fn timeout_token(duration: Duration) -> Token {
    match Instant::now().checked_add(duration) {
        Some(at) => expiring(at, duration),
        None => {
            // For its panics.
            drop(sleep_until(Instant::now()));
            SimpleToken::new().into()
        }
    }
}

/// A token that is cancelled when tokio's clock reaches `at`, otherwise like [`timeout_token`]. The cause names the time
/// from now until then.
///
/// # Panics
///
/// As [`timeout_token`].
#[track_caller]
#[must_use = "the timer goes with the token"]
pub fn timeout_token_at(at: Instant) -> Token {
    expiring(at, at.saturating_duration_since(Instant::now()))
}

#[track_caller]
fn expiring(at: Instant, after: Duration) -> Token {
    let sleep = sleep_until(at);
    let runtime = Handle::current();
    token_of(sleep, move |token| {
        let now = {
            // The waking thread may be in the context of another runtime, with another clock.
            let _context = runtime.enter();
            Instant::now()
        };
        // A runtime that is shut down wakes all its timers.
        if now < at {
            return;
        }
        let cancelling = token.begin_cancel(Cause::Timeout { after });
        // User code must not run in the runtime's timer.
        runtime.spawn(async move { drop(cancelling) });
    })
}
