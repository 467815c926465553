use crate::waker_slot::{WakerSlot, cause_of};
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
    /// The first poll is one [check](Token#checks-and-looks): conditions are asked and one unit of each counter is
    /// spent, so with a [`CounterToken`](cantok_core::CounterToken) of `n` units exactly `n` futures begin. If it says
    /// cancelled, the future inside is not polled at all. Every later poll only looks, and spends nothing. The check
    /// that is refused cancels the token, and so ends the futures that are still under way; to let those end by
    /// themselves, check the counter alone before, and leave it out of the token that is given here. (While somebody
    /// waits for the end of the units, by [`cancelled`](crate::TokenExt::cancelled) for example, the check that spends
    /// the last one cancels too.)
    ///
    /// **The token comes first**: a poll looks at it before it polls the future, so nothing is begun after the cancel,
    /// and where both are ready the output is `Err`. [`future_first`](WithToken::future_first) turns that round.
    ///
    /// When the token ends it, the future inside is dropped before the error is returned: it stops at the `await` that
    /// it is at, and releases what it holds. While it waits, the task is woken by the future inside or by the cancel,
    /// and by nothing else; conditions are asked at their interval by a thread of `cantok-core`.
    ///
    /// It needs no runtime. Making it and polling it allocates nothing, but for a place in the token's list of those
    /// who wait, which the first poll takes that is not ready, and which is given back in the end. (The first to wait
    /// on a derived token has that registered with those that it derives from.)
    ///
    /// # Cancel safety
    ///
    /// Cancel safe if the future inside is: dropping this drops that.
    ///
    /// # Panics
    ///
    /// If it is polled after it was ready. If a condition panics in the check, or as [`Token::subscribe_waker`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct WithToken<F> {
        // `None` once it is done.
        #[pin]
        future: Option<F>,
        token: Token,
        slot: WakerSlot,
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
            token,
            slot: WakerSlot::default(),
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
        let is_stopped = match *this.stage {
            Stage::Unbegun => this.token.is_cancelled(),
            _ => !*this.future_first && this.token.looks_cancelled(),
        };
        // After the check: one that panics is made again.
        *this.stage = Stage::Begun;
        if !is_stopped {
            if let Poll::Ready(output) = future.poll(cx) {
                *this.stage = Stage::Done;
                // First, so that the task is not woken by what the drop of the future does.
                this.slot.clear();
                this.future.set(None);
                return Poll::Ready(Ok(output));
            }
            let subscribe = Token::subscribe_waker_after_check;
            if !this.token.looks_cancelled() && this.slot.waits(this.token, cx.waker(), subscribe) {
                return Poll::Pending;
            }
        }
        let error = cause_of(this.token);
        *this.stage = Stage::Done;
        this.slot.clear();
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
