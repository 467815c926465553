//! # Invariants
//!
//! 1. A future that has returned `Pending` is registered with the waker of that poll. No cancel is lost between the
//!    peek and the registration: either registering finds the token cancelled, or the cancel finds the waker.
//! 2. A future that is done or dropped is not registered.
//! 3. Another poll with the same waker neither allocates nor takes a lock.
//!
//! [`WakerRegistration`] guarantees the first and the last.

use cantok_core::adapter::{WakerRegistration, stopped_early};
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
    /// - The first poll is one [check](Token#checks-and-peeks), and later polls only peek. A
    ///   [`CounterToken`](cantok_core::CounterToken) of `n` units therefore lets exactly `n` futures start.
    /// - **The token comes first.** Each poll checks or peeks before it polls the inner future, unless you chose
    ///   [`future_first`](WithToken::future_first):
    ///
    /// | when it is polled | by default | `future_first` |
    /// |---|---|---|
    /// | for the first time, with the token cancelled | `Err`, and the inner future is not polled | the same |
    /// | later, with the token cancelled and the inner future ready | `Err` | `Ok` |
    /// | later, with the token cancelled and the inner future not ready | `Err` | `Err` |
    ///
    /// - When the token ends it, the inner future is dropped before the error is returned. It stops at its current
    ///   `await` and releases what it holds.
    /// - While it waits, only the inner future and the cancel wake the task.
    ///
    /// A check that a counter refuses cancels the token, and with it the futures under way. To let those finish, check
    /// the counter separately and leave it out of this token: `budget.check()?; request.with_token(&shutdown).await`.
    ///
    /// # Panics
    ///
    /// If it is polled after it was ready, if a condition panics in the check, or as [`WakerRegistration::register`].
    ///
    /// # Cancel safety
    ///
    /// As cancel safe as the inner future, which is dropped with this one.
    ///
    /// # Cost
    ///
    /// The first poll that returns `Pending` registers a waiter with the token, and the end of the future removes it.
    /// Nothing else is allocated. Later polls with the same waker take no lock. The first waiter of a derived token
    /// registers that token with its sources. It uses no runtime and no thread, with one exception: a thread of
    /// `cantok-core` calls conditions, once per interval.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct WithToken<F> {
        // `None` once done.
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
    New,
    Started,
    /// Has returned its output.
    Done,
}

impl<F: Future> WithToken<F> {
    pub(super) fn new(future: F, token: Token) -> Self {
        WithToken {
            future: Some(future),
            registration: WakerRegistration::new(token),
            stage: Stage::New,
            future_first: false,
        }
    }

    /// Polls the inner future before it peeks at the token, so that a ready output wins over a cancel. This is the
    /// order of tokio-util's `run_until_cancelled`.
    ///
    /// Use it for futures that lose an output when they are dropped, such as a `oneshot::Receiver`, a `JoinHandle` or
    /// an `async` block of several steps. (The `recv` of a `tokio::sync::mpsc` leaves the message in the channel and
    /// loses nothing.) The first poll still checks the token first, and does not start the future if it is cancelled.
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
            Stage::New => token.is_cancelled(),
            _ => !*this.future_first && token.peek_cancelled(),
        };
        // After the check: if that panics, the next poll checks again.
        *this.stage = Stage::Started;
        if !is_stopped {
            if let Poll::Ready(output) = future.poll(cx) {
                *this.stage = Stage::Done;
                // First: dropping the future may cancel the token, which must not wake this task.
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
        stopped_early("future", &error);
        Poll::Ready(Err(error))
    }
}

impl<F: Future> FusedFuture for WithToken<F> {
    fn is_terminated(&self) -> bool {
        self.stage == Stage::Done
    }
}
