use crate::CallError;
use crate::body::{TokenBody, hand_over};
use crate::watch::Watch;
use cantok_core::CancellationError;
use cantok_core::adapter::stopped_early;
use http::Response;
use http_body::Body;
use pin_project_lite::pin_project;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

pin_project! {
    /// The response of a [`PropagateService`](crate::PropagateService). [`PropagateLayer`](crate::PropagateLayer) lists
    /// the guarantees.
    ///
    /// # Cancel safety
    ///
    /// As cancel safe as the inner future, which is dropped with this. A drop does not cancel the token.
    ///
    /// # Panics
    ///
    /// If it is polled after it was ready.
    #[must_use = "futures do nothing unless polled"]
    pub struct PropagateFuture<F> {
        #[pin]
        inner: Option<F>,
        // `None` once it is done, or if it was cancelled before the call.
        watch: Option<Watch>,
        error: Option<CancellationError>,
    }
}

impl<F> PropagateFuture<F> {
    pub(super) fn cancelled(error: CancellationError) -> Self {
        PropagateFuture {
            inner: None,
            watch: None,
            error: Some(error),
        }
    }

    pub(super) fn running(inner: F, watch: Watch) -> Self {
        PropagateFuture {
            inner: Some(inner),
            watch: Some(watch),
            error: None,
        }
    }
}

impl<F, B, E> Future for PropagateFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    E: Into<Box<dyn Error + Send + Sync>>,
    B: Body,
{
    type Output = Result<Response<TokenBody<B>>, CallError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let inner = this.inner.as_mut().as_pin_mut();
        let (Some(inner), Some(watch)) = (inner, this.watch.as_mut()) else {
            let error = this.error.take();
            let error = error.expect("`PropagateFuture` was polled after it was ready");
            return Poll::Ready(Err(CallError::cancelled(error)));
        };
        if let Some(entered) = watch.begin() {
            let polled = inner.poll(cx);
            watch.end(entered);
            match polled {
                Poll::Ready(Ok(response)) => {
                    let mut watch = this.watch.take();
                    this.inner.set(None);
                    let announced = hand_over(&mut watch, &response, true);
                    let body = |inner| TokenBody::new(inner, watch, announced, None);
                    return Poll::Ready(Ok(response.map(body)));
                }
                // A client may have a timer of its own for the same deadline.
                Poll::Ready(Err(error)) if watch.cancellation().is_none() => {
                    *this.watch = None;
                    this.inner.set(None);
                    return Poll::Ready(Err(CallError::failed(error)));
                }
                Poll::Pending if watch.wait(cx) => return Poll::Pending,
                Poll::Ready(Err(_)) | Poll::Pending => {}
            }
        }
        let error = this.watch.take().expect("just polled").error();
        this.inner.set(None);
        stopped_early("call", &error);
        Poll::Ready(Err(CallError::cancelled(error)))
    }
}

impl<F> fmt::Debug for PropagateFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PropagateFuture")
            .field("watch", &self.watch)
            .field("error", &self.error)
            .finish_non_exhaustive()
    }
}
