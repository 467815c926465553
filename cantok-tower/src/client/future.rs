use crate::watch::Watch;
use crate::{CallError, TokenBody};
use cantok_core::CancellationError;
use cantok_core::adapter::stopped_early;
use http::Response;
use http_body::Body;
use pin_project_lite::pin_project;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

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
        let polled = ready!(watch.poll(cx, |cx| inner.poll(cx)));
        let watch = this.watch.take().expect("just polled");
        this.inner.set(None);
        // A client may have a timer of its own for the same deadline.
        let polled = match (polled, watch.cancellation()) {
            (Ok(Err(_)), Some(error)) => Err(error),
            (polled, _) => polled,
        };
        Poll::Ready(match polled {
            Ok(Ok(response)) => {
                let (head, body) = response.into_parts();
                let body = TokenBody::new(body, watch, &head.headers);
                Ok(Response::from_parts(head, body))
            }
            Ok(Err(error)) => Err(CallError::failed(error)),
            Err(error) => {
                stopped_early("call", &error);
                Err(CallError::cancelled(error))
            }
        })
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
