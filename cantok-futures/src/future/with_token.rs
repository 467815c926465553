//! # Invariants
//!
//! 1. A future that has returned `Pending` is registered with the waker of that poll, unless its token cannot be
//!    cancelled. No cancel is lost between the peek and the registration: either registering finds the token cancelled,
//!    or the cancel finds the waker.
//! 2. A future that is done or dropped is not registered. One that is running and not registered has never returned
//!    `Pending`, or its token cannot be cancelled. So its next poll checks.
//! 3. Another poll with the same waker neither allocates nor takes a lock.
//!
//! [`WakerRegistration`] guarantees the first and the last.

use super::FutureFirst;
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
    ///   [`CounterToken`](cantok_core::CounterToken) of `n` units therefore lets exactly `n` futures start. If the first
    ///   poll panics, the next one checks again.
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
    /// - Once it is ready, it holds neither the inner future nor the token.
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
    ///
    /// On 64-bit targets the future is 24 bytes larger than the inner one, plus padding.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct WithToken<F> {
        #[pin]
        state: State<F>,
    }
}

pin_project! {
    // `Done` uses the niche of the token's pointer, so the enum is as large as its fields.
    #[project = Projected]
    #[derive(Debug)]
    enum State<F> {
        Running {
            // The first to be dropped: dropping the future may cancel the token, which must not wake this task.
            registration: WakerRegistration,
            #[pin]
            future: F,
        },
        // Has returned its output.
        Done,
    }
}

#[cfg(target_pointer_width = "64")]
const _: () = assert!(size_of::<WithToken<u64>>() == size_of::<u64>() + 24);

/// Which of the two a later poll begins with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum First {
    Token,
    Future,
}

impl<F: Future> WithToken<F> {
    pub(super) fn new(future: F, token: Token) -> Self {
        WithToken {
            state: State::Running {
                registration: WakerRegistration::new(token),
                future,
            },
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
    pub fn future_first(self) -> FutureFirst<F> {
        FutureFirst::new(self)
    }

    pub(super) fn poll_with(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        first: First,
    ) -> Poll<Result<F::Output, CancellationError>> {
        let mut state = self.project().state;
        let Projected::Running {
            registration,
            future,
        } = state.as_mut().project()
        else {
            panic!("a future with a token was polled after it was ready");
        };
        let token = registration.token();
        let is_stopped = if registration.is_registered() {
            first == First::Token && token.peek_cancelled()
        } else {
            token.is_cancelled()
        };
        if !is_stopped {
            if let Poll::Ready(output) = future.poll(cx) {
                state.set(State::Done);
                return Poll::Ready(Ok(output));
            }
            if registration.register(cx.waker()) {
                return Poll::Pending;
            }
        }
        let error = registration.token().cancellation();
        let error = error.expect("a cancelled token has an error");
        state.set(State::Done);
        stopped_early("future", &error);
        Poll::Ready(Err(error))
    }
}

impl<F: Future> Future for WithToken<F> {
    type Output = Result<F::Output, CancellationError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.poll_with(cx, First::Token)
    }
}

impl<F: Future> FusedFuture for WithToken<F> {
    fn is_terminated(&self) -> bool {
        matches!(self.state, State::Done)
    }
}
