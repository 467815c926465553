use super::PropagateFuture;
use crate::grpc::is_grpc;
use crate::watch::Watch;
use crate::{CallError, RequestToken, TimeoutHeader, TokenBody};
use cantok_core::Token;
use cantok_core::adapter::stopped_early;
use http::header::HeaderMap;
use http::{Request, Response};
use http_body::Body;
use std::error::Error;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;
use tower_service::Service;

/// A client whose calls end with a token. [`PropagateLayer`](crate::PropagateLayer) makes it and lists the guarantees.
#[derive(Clone, Debug)]
pub struct PropagateService<S> {
    inner: S,
    header: Option<Arc<TimeoutHeader>>,
}

impl<S> PropagateService<S> {
    pub(super) fn new(inner: S, header: Option<Arc<TimeoutHeader>>) -> Self {
        PropagateService { inner, header }
    }

    /// Writes the time that remains until the deadline.
    fn write(&self, deadline: Instant, headers: &mut HeaderMap) {
        let remaining = deadline.saturating_duration_since(Instant::now());
        let header = match &self.header {
            Some(header) => header,
            None if is_grpc(headers) => &TimeoutHeader::grpc(),
            None => &TimeoutHeader::request_timeout(),
        };
        let before = header.read(headers).ok().flatten();
        if before.is_none_or(|before| before > remaining) {
            header.write(headers, remaining);
        }
    }
}

impl<S, B, C> Service<Request<B>> for PropagateService<S>
where
    S: Service<Request<B>, Response = Response<C>>,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    C: Body,
{
    type Response = Response<TokenBody<C>>;
    type Error = CallError;
    type Future = PropagateFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), CallError>> {
        self.inner.poll_ready(cx).map_err(CallError::failed)
    }

    fn call(&mut self, mut request: Request<B>) -> PropagateFuture<S::Future> {
        let token = request.extensions().get::<RequestToken>();
        let token = token.map_or_else(Token::current, Token::from);
        if let Err(error) = token.check() {
            stopped_early("call", &error);
            return PropagateFuture::cancelled(error);
        }
        if let Some(deadline) = token.deadline() {
            self.write(deadline, request.headers_mut());
        }
        PropagateFuture::running(self.inner.call(request), Watch::observing(token))
    }
}
