//! # Invariants
//!
//! 1. A future that has returned `Pending` is registered with the waker of that poll. No cancel falls between a peek
//!    and a registration: registering finds the token cancelled, or the cancel finds the waker.
//! 2. A future that is done, or dropped, is not registered.
//! 3. A poll with the waker of the poll before neither allocates nor takes a lock.
//!
//! The first and the last are guarantees of [`WakerRegistration`]. All hold for the streams of this crate too.

use crate::cause::cause_of;
use cantok_core::adapter::WakerRegistration;
use cantok_core::{CancellationError, Token};
use futures_core::FusedFuture;
use pin_project_lite::pin_project;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

pin_project! {
    /// A future that ends early when its token is cancelled. Made by
    /// [`FutureTokenExt::with_token`](crate::FutureTokenExt::with_token).
    ///
    /// Its output is `Ok` with that of the future inside, or `Err` with the cause.
    ///
    /// # Guarantees
    ///
    /// The first poll is one [check](Token#checks-and-peeks): conditions are asked and one unit of each counter is
    /// spent, so with a [`CounterToken`](cantok_core::CounterToken) of `n` units exactly `n` futures begin. If it says
    /// cancelled, the future inside is not polled at all. Every later poll only looks, and spends nothing. The check
    /// that is refused cancels the token, and so ends the futures that are still under way; to let those end by
    /// themselves, check the counter alone before, and leave it out of the token that is given here.
    ///
    /// **The token comes first**: a poll looks at it before it polls the future, so nothing is begun after the cancel,
    /// and where both are ready the output is `Err`. [`future_first`](WithToken::future_first) turns that round.
    ///
    /// When the token ends it, the future inside is dropped before the error is returned: it stops at the `await` that
    /// it is at, and releases what it holds. While it waits, the task is woken by the future inside or by the cancel,
    /// and by nothing else; conditions are asked at their interval by a thread of `cantok-core`.
    ///
    /// It needs no runtime. Making it and polling it allocates nothing, but for a place in the list of the token's
    /// waiters. The first poll that is not ready takes that place, and the end gives it back. Later polls with the same
    /// waker take no lock. (The first waiter of a derived token registers that token with those that it derives from.)
    ///
    /// # Cancel safety
    ///
    /// Cancel safe if the future inside is: dropping this drops that.
    ///
    /// # Panics
    ///
    /// If it is polled after it was ready. If a condition panics in the check, or as [`WakerRegistration::register`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct WithToken<F> {
        // `None` once it is done.
        #[pin]
        future: Option<F>,
        registration: WakerRegistration,
        stage: Stage,
        future_first: bool,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The check has yet to be made.
    Unbegun,
    Begun,
    /// The output was returned.
    Done,
}

impl<F: Future> WithToken<F> {
    pub(super) fn new(future: F, token: Token) -> Self {
        WithToken {
            future: Some(future),
            registration: WakerRegistration::new(token),
            stage: Stage::Unbegun,
            future_first: false,
        }
    }

    /// Has the future inside come first: an output that is there is returned, also when the token was cancelled
    /// meanwhile. For futures that hold an output which is lost when they are dropped: a `oneshot::Receiver`, a
    /// `JoinHandle`, an `async` block of several steps. (The `recv` of a `tokio::sync::mpsc` leaves what it has not
    /// returned in the channel, and loses nothing either way.)
    ///
    /// The first poll checks the token first all the same, and begins nothing if it is cancelled. This is the order of
    /// tokio-util's `run_until_cancelled`.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::SimpleToken;
    /// use cantok_tokio::prelude::*;
    /// use tokio::sync::oneshot;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let token = SimpleToken::new();
    /// let (sender, receiver) = oneshot::channel();
    ///
    /// let (received, ()) = tokio::join!(receiver.with_token(&token).future_first(), async {
    ///     sender.send(1).unwrap();
    ///     token.cancel();
    /// });
    /// assert_eq!(received, Ok(Ok(1)));
    /// # }
    /// ```
    pub fn future_first(mut self) -> Self {
        self.future_first = true;
        self
    }
}

impl<F: Future> Future for WithToken<F> {
    type Output = Result<F::Output, CancellationError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let future = this.future.as_mut().as_pin_mut();
        let Some(future) = future.filter(|_| *this.stage != Stage::Done) else {
            panic!("`WithToken` was polled after it was ready");
        };
        let token = this.registration.token();
        let is_stopped = match *this.stage {
            Stage::Unbegun => token.is_cancelled(),
            _ => !*this.future_first && token.peek_cancelled(),
        };
        // After the check: one that panics is made again.
        *this.stage = Stage::Begun;
        if !is_stopped {
            if let Poll::Ready(output) = future.poll(cx) {
                *this.stage = Stage::Done;
                // First (invariant 2), so that what the drop of the future does wakes no task.
                this.registration.clear();
                this.future.set(None);
                return Poll::Ready(Ok(output));
            }
            if this.registration.register(cx.waker()) {
                return Poll::Pending;
            }
        }
        let error = cause_of(this.registration.token());
        *this.stage = Stage::Done;
        this.registration.clear();
        this.future.set(None);
        #[cfg(feature = "tracing")]
        crate::trace::stopped_early("future", &error);
        Poll::Ready(Err(error))
    }
}

impl<F: Future> FusedFuture for WithToken<F> {
    fn is_terminated(&self) -> bool {
        self.stage == Stage::Done
    }
}
