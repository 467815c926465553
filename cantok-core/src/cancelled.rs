use crate::adapter::WakerRegistration;
use crate::{CancellationError, Token};
use std::borrow::Borrow;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A future that is ready when its token is cancelled, with the error. Made by [`Token::cancelled`] and
/// [`Token::cancelled_owned`].
///
/// It runs on any executor and needs no runtime. Waiting spends no counter and cancels none: a counter cancels by the
/// check that it refuses. A condition is asked by a thread of this crate, at its interval. If the token cannot be
/// cancelled the future is never ready.
///
/// It is [`Unpin`]: in a loop around a `select!`, make it once, outside, and wait for `&mut cancelled`.
///
/// # Guarantees
///
/// The cancel wakes the task, before any callback of that token is called, and nothing else does. No cancel is missed.
/// Once ready the future stays ready: polled again it returns the same error. The first poll takes a place in the list
/// of the token's waiters. Later polls with the same waker take no lock. Dropping the future gives the place back and
/// never blocks.
///
/// # Cancel safety
///
/// It can be dropped and made anew without missing anything.
///
/// # Panics
///
/// A poll panics as [`WakerRegistration::register`].
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct Cancelled<T: Borrow<Token> = Token> {
    /// Has ended once the future is ready.
    registration: WakerRegistration<T>,
}

impl<T: Borrow<Token>> Cancelled<T> {
    pub(crate) fn new(token: T) -> Self {
        Cancelled {
            registration: WakerRegistration::new(token),
        }
    }

    /// Whether the future has returned its error, as `is_terminated` of the `FusedFuture` of the futures crates.
    pub fn is_terminated(&self) -> bool {
        self.registration.has_ended()
    }
}

// Nothing in it is pinned.
impl<T: Borrow<Token>> Unpin for Cancelled<T> {}

impl<T: Borrow<Token>> Future for Cancelled<T> {
    type Output = CancellationError;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<CancellationError> {
        let this = self.get_mut();
        if !this.registration.token().peek_cancelled() && this.registration.register(cx.waker()) {
            return Poll::Pending;
        }
        this.registration.end();
        Poll::Ready(this.registration.token().latched())
    }
}
