use super::shared::Shared;
use super::{OnCancelled, Stopped};
use crate::body::{TokenBody, hand_over};
use crate::grpc;
use crate::watch::Watch;
use cantok_core::adapter::stopped_early;
use http::{Response, StatusCode};
use http_body::Body;
use pin_project_lite::pin_project;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

pin_project! {
    /// The response of a [`TokenService`](crate::TokenService). [`TokenLayer`](crate::TokenLayer) lists the guarantees.
    ///
    /// # Cancel safety
    ///
    /// Dropping it before it is ready cancels the token of the request: the client is gone.
    ///
    /// # Panics
    ///
    /// If it is polled after it was ready. A drop that cancels runs the callbacks of the token and resumes their first
    /// panic.
    #[must_use = "futures do nothing unless polled"]
    pub struct TokenFuture<F, R> {
        // Dropped first, so that the token is cancelled when the service's future is dropped. `None` at the end.
        watch: Option<Watch>,
        #[pin]
        inner: Option<F>,
        // Why the service was not called.
        stopped: Option<Stopped>,
        shared: Arc<Shared<R>>,
        is_grpc: bool,
        // Whether a client reads the body of a response.
        has_body: bool,
    }
}

impl<F, R> TokenFuture<F, R> {
    pub(super) fn stopped(stopped: Stopped, shared: Arc<Shared<R>>) -> Self {
        TokenFuture {
            watch: None,
            inner: None,
            stopped: Some(stopped),
            shared,
            is_grpc: false,
            has_body: false,
        }
    }

    pub(super) fn running(
        inner: F,
        watch: Watch,
        shared: Arc<Shared<R>>,
        is_grpc: bool,
        has_body: bool,
    ) -> Self {
        TokenFuture {
            watch: Some(watch),
            inner: Some(inner),
            stopped: None,
            shared,
            is_grpc,
            has_body,
        }
    }
}

impl<F, R, B, E> Future for TokenFuture<F, R>
where
    F: Future<Output = Result<Response<B>, E>>,
    R: OnCancelled<B>,
    B: Body,
{
    type Output = Result<Response<TokenBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let inner = this.inner.as_mut().as_pin_mut();
        let (Some(inner), Some(watch)) = (inner, this.watch.as_mut()) else {
            let stopped = this.stopped.take();
            let stopped = stopped.expect("`TokenFuture` was polled after it was ready");
            return Poll::Ready(Ok(this.shared.answer(&stopped)));
        };
        if let Some(entered) = watch.begin() {
            let polled = inner.poll(cx);
            watch.end(entered);
            match polled {
                Poll::Ready(Ok(response)) => {
                    let mut watch = this.watch.take();
                    // Release the service's resources before the client gets the response.
                    this.inner.set(None);
                    let has_body = *this.has_body && has_body(response.status());
                    let announced = hand_over(&mut watch, &response, has_body);
                    let is_grpc = *this.is_grpc && grpc::is_grpc(response.headers());
                    let shutdown = is_grpc.then(|| this.shared.shutdown.clone());
                    let body = |inner| TokenBody::new(inner, watch, announced, shutdown);
                    return Poll::Ready(Ok(response.map(body)));
                }
                Poll::Ready(Err(error)) => {
                    watch.disarm();
                    *this.watch = None;
                    this.inner.set(None);
                    return Poll::Ready(Err(error));
                }
                Poll::Pending if watch.wait(cx) => return Poll::Pending,
                Poll::Pending => {}
            }
        }
        let error = this.watch.take().expect("just polled").error();
        this.inner.set(None);
        stopped_early("request", &error);
        let stopped = Stopped::cancelled(error, &this.shared.shutdown, *this.is_grpc);
        Poll::Ready(Ok(this.shared.answer(&stopped)))
    }
}

/// Returns whether a response with this status has a body, and not the bytes of another protocol or nothing.
fn has_body(status: StatusCode) -> bool {
    !status.is_informational()
        && ![StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED].contains(&status)
}

impl<F, R> fmt::Debug for TokenFuture<F, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenFuture")
            .field("watch", &self.watch)
            .field("stopped", &self.stopped)
            .finish_non_exhaustive()
    }
}
