use cantok_core::adapter::Current;
use pin_project_lite::pin_project;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

pin_project! {
    /// A future that is polled with the current token of the code that spawned it, on any thread.
    pub(super) struct WithCurrent<F> {
        #[pin]
        future: F,
        current: Current,
    }
}

impl<F> WithCurrent<F> {
    pub(super) fn new(future: F) -> Self {
        WithCurrent {
            future,
            current: Current::get(),
        }
    }
}

impl<F: Future> Future for WithCurrent<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        this.current.clone().enter(|| this.future.poll(cx))
    }
}
