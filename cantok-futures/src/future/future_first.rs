use super::WithToken;
use super::with_token::First;
use cantok_core::CancellationError;
use futures_core::FusedFuture;
use pin_project_lite::pin_project;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

pin_project! {
    /// A future that ends early when its token is cancelled, unless it is ready. Made by [`WithToken::future_first`].
    ///
    /// [`WithToken`] lists the guarantees.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct FutureFirst<F> {
        #[pin]
        future: WithToken<F>,
    }
}

impl<F> FutureFirst<F> {
    pub(super) fn new(future: WithToken<F>) -> Self {
        FutureFirst { future }
    }
}

impl<F: Future> Future for FutureFirst<F> {
    type Output = Result<F::Output, CancellationError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().future.poll_with(cx, First::Future)
    }
}

impl<F: Future> FusedFuture for FutureFirst<F> {
    fn is_terminated(&self) -> bool {
        self.future.is_terminated()
    }
}
