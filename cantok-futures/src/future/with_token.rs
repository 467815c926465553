//! # Invariants
//!
//! 1. A future that has returned `Pending` is registered with the waker of that poll. No cancel falls between the peek
//!    and the registration: registering finds the token cancelled, or the cancel finds the waker.
//! 2. A future that is done or dropped is not registered.
//! 3. A poll with the waker of the poll before neither allocates nor takes a lock.
//!
//! The first and the last are guarantees of [`WakerRegistration`].

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
    /// Returns `Ok` with the output of the inner future, or `Err` with the error of the token.
    ///
    /// # Guarantees
    ///
    /// - The first poll is one [check](Token#checks-and-peeks); later polls only peek. So a
    ///   [`CounterToken`](cantok_core::CounterToken) of `n` units lets exactly `n` futures begin.
    /// - **The token comes first.** Each poll looks at the token before it polls the inner future: if both are ready,
    ///   the output is `Err`. A token that was cancelled before the first poll leaves the inner future unpolled.
    ///   [`future_first`](WithToken::future_first) turns the order round.
    /// - When the token ends it, the inner future is dropped before the error is returned. So it stops at its current
    ///   `await` and releases what it holds.
    /// - While it waits, only the inner future and the cancel wake the task.
    ///
    /// The check that a counter refuses cancels the token, and with it the futures under way. To let those finish,
    /// check the counter alone and leave it out of this token:
    /// `budget.check()?; request.with_token(&shutdown).await`.
    ///
    /// # Cost
    ///
    /// Making and polling it allocates nothing but a place among the token's waiters. The first poll that returns
    /// `Pending` takes that place, and the end gives it back. Later polls with the same waker take no lock. The first
    /// waiter of a derived token registers that token with its sources. No runtime and no thread is involved, except
    /// for conditions: a thread of `cantok-core` calls them, once per interval.
    ///
    /// # Cancel safety
    ///
    /// As cancel safe as the inner future, which is dropped with this.
    ///
    /// # Panics
    ///
    /// If it is polled after it was ready, if a condition panics in the check, or as
    /// [`WakerRegistration::register`].
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
    /// Not checked yet.
    Unbegun,
    Begun,
    /// Has returned its output.
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

    /// Polls the inner future before it looks at the token, so that an output which is ready is returned even if the
    /// token was cancelled meanwhile. This is the order of tokio-util's `run_until_cancelled`.
    ///
    /// For futures that lose an output when they are dropped: a `oneshot::Receiver`, a `JoinHandle`, an `async` block
    /// of several steps. (The `recv` of a `tokio::sync::mpsc` leaves the message in the channel and loses nothing.) The
    /// first poll still checks the token first, and does not begin if it is cancelled.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::SimpleToken;
    /// use cantok_futures::prelude::*;
    /// use futures::channel::oneshot;
    /// use futures::future::join;
    ///
    /// # pollster::block_on(async {
    /// let token = SimpleToken::new();
    /// let (sender, receiver) = oneshot::channel();
    ///
    /// let received = receiver.with_token(&token).future_first();
    /// let (received, ()) = join(received, async {
    ///     sender.send(1).unwrap();
    ///     token.cancel();
    /// })
    /// .await;
    /// assert_eq!(received, Ok(Ok(1)));
    /// # });
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
                // Before the future is dropped: its drop may cancel the token, which must not wake this task.
                this.registration.clear();
                this.future.set(None);
                return Poll::Ready(Ok(output));
            }
            if this.registration.register(cx.waker()) {
                return Poll::Pending;
            }
        }
        let error = this.registration.token().cancellation();
        let error = error.expect("a cancelled token has an error");
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
