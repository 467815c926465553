//! Timeouts on tokio's clock, for tests that pause it.
//!
//! A [`TimeoutToken`](cantok_core::TimeoutToken) goes by the clock of the operating system, which `tokio::time::pause`
//! does not stop. These tokens go by tokio's: in a paused runtime they expire when the time is advanced, or when the
//! runtime has nothing else to do. They report the same cause, so code under test need not know the difference.
//!
//! Outside tests prefer `TimeoutToken`: it needs no runtime, and a check
//! sees its deadline even if every thread of the runtime is busy.
//!
//! What runs outside of the runtime's tasks is not seen by a paused clock, and that holds for these tokens too: while
//! blocking work is under way tokio does not advance by itself, so it has to be advanced by hand; work on other
//! threads, like rayon's, does not count as something to do, so the clock runs ahead of it.
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
//! let token = cantok_tokio::time::timeout(hour);
//! let error = serve(&token).await.unwrap_err(); // at once
//! assert_eq!(error.cause(), &Cause::Timeout { after: hour });
//! # }
//! ```

use crate::bridge::token_of;
use cantok_core::adapter::TokenAdapterExt as _;
use cantok_core::{Cause, SimpleToken, Token};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep_until};

/// A token that is cancelled when that much time has passed on tokio's clock. Too long to be expressed: never.
///
/// # Guarantees
///
/// The cause is [`Cause::Timeout`] with `duration`, as with a
/// [`TimeoutToken`](cantok_core::TimeoutToken). It is never cancelled early, and late by tokio's timer: that rounds up
/// to a millisecond, and expires when a thread of the runtime comes to it. Tasks are woken and callbacks run in a task
/// of the runtime; a panic goes to the panic hook and no further. [`Token::deadline`] does not tell of it, since that
/// is on the other clock. The timer goes with the token and everything derived from it, and with the runtime: then the
/// token is not cancelled any more, unless it was due already.
///
/// # Panics
///
/// Outside of a tokio runtime, or if its timer is not enabled, as [`tokio::time::sleep`].
#[track_caller]
#[must_use = "the timer goes with the token"]
pub fn timeout(duration: Duration) -> Token {
    match Instant::now().checked_add(duration) {
        Some(at) => expiring(at, duration),
        None => {
            // For its panics.
            drop(sleep_until(Instant::now()));
            SimpleToken::new().into()
        }
    }
}

/// A token that is cancelled when tokio's clock is at `at`, otherwise like [`timeout`]. The cause names the time from
/// now to then.
///
/// # Panics
///
/// As [`timeout`].
#[track_caller]
#[must_use = "the timer goes with the token"]
pub fn timeout_at(at: Instant) -> Token {
    expiring(at, at.saturating_duration_since(Instant::now()))
}

#[track_caller]
fn expiring(at: Instant, after: Duration) -> Token {
    let sleep = sleep_until(at);
    let runtime = Handle::current();
    token_of(sleep, move |token| {
        let now = {
            // Whoever wakes may be in the context of another runtime, with another clock.
            let _context = runtime.enter();
            Instant::now()
        };
        // A runtime that is shut down wakes all who sleep.
        if now < at {
            return;
        }
        let cancelling = token.begin_cancel(Cause::Timeout { after });
        // This is the runtime's timer, which cannot run just anything.
        runtime.spawn(async move { drop(cancelling) });
    })
}
