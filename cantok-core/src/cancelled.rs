use crate::adapter::WakerRegistration;
use crate::{CancellationError, Token};
use std::borrow::Borrow;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

impl Token {
    /// Returns a future that is ready when the token is cancelled, with the error. [`Cancelled`] lists its guarantees.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::{SimpleToken, TimeoutToken};
    /// use std::time::Duration;
    ///
    /// let token = SimpleToken::new() + TimeoutToken::new(Duration::from_millis(5));
    /// let error = pollster::block_on(token.cancelled());
    /// assert_eq!(error.to_string(), "the timeout of 5ms has expired");
    /// ```
    pub fn cancelled(&self) -> Cancelled<&Token> {
        Cancelled::new(self)
    }

    /// Returns a future like [`cancelled`](Token::cancelled) that owns its token, so you can return, store or spawn it.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::SimpleToken;
    ///
    /// let shutdown = SimpleToken::new();
    /// let cancelled = shutdown.cancelled_owned();
    /// shutdown.cancel();
    /// pollster::block_on(async { drop(cancelled.await) });
    /// ```
    pub fn cancelled_owned(&self) -> Cancelled {
        Cancelled::new(self.clone())
    }
}

/// A future that is ready when its token is cancelled, with the error. [`Token::cancelled`] and
/// [`Token::cancelled_owned`] make it.
///
/// It runs on any executor and needs no runtime. It spends no counter, so a used-up counter makes it ready only when a
/// check is refused. A background thread calls conditions, at their interval. If the token cannot be cancelled, the
/// future is never ready.
///
/// The future is [`Unpin`]: in a loop around a `select!`, make it once, outside, and wait for `&mut cancelled`. A new one
/// in each turn has a condition called once per interval, too, not once per turn.
///
/// # Guarantees
///
/// - No cancel is missed. The cancel wakes the task, before it calls any callback of that token, and nothing else does.
/// - A deadline is noticed as late as the thread that marks deadlines wakes up, as everywhere. So a poll just after it may
///   still be pending, and the task is then woken.
/// - Once ready, the future stays ready: polling it again returns the same error.
/// - Dropping it unregisters the task and never blocks.
///
/// # Panics
///
/// A poll panics as [`WakerRegistration::register`] does.
///
/// # Cancel safety
///
/// You can drop the future and make another without missing a cancel.
///
/// # Cost
///
/// The first poll registers the task with the token. Later polls with the same waker take no lock.
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct Cancelled<T: Borrow<Token> = Token> {
    /// Has ended once the future is ready.
    registration: WakerRegistration<T>,
}

impl<T: Borrow<Token>> Cancelled<T> {
    fn new(token: T) -> Self {
        Cancelled {
            registration: WakerRegistration::new(token),
        }
    }

    /// Returns `true` if the future has returned its error, like `is_terminated` of the futures crates' `FusedFuture`.
    pub fn is_terminated(&self) -> bool {
        self.registration.has_ended()
    }
}

// No field is pinned.
impl<T: Borrow<Token>> Unpin for Cancelled<T> {}

impl<T: Borrow<Token>> Future for Cancelled<T> {
    type Output = CancellationError;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<CancellationError> {
        let this = self.get_mut();
        let is_cancelled = this.registration.token().node().peek_before_waiting();
        if !is_cancelled && this.registration.register(cx.waker()) {
            return Poll::Pending;
        }
        this.registration.end();
        Poll::Ready(this.registration.token().latched())
    }
}
