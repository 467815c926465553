use super::shared::Shared;
use super::{OnCancelled, Stopped, TokenFuture};
use crate::grpc::is_grpc;
use crate::watch::Watch;
use crate::{RequestToken, TokenBody};
use cantok_core::adapter::{Current, stopped_early};
use http::{Method, Request, Response};
use http_body::Body;
use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};
use tower_service::Service;

/// A service that gives each request a token. [`TokenLayer`](crate::TokenLayer) makes it and lists the guarantees.
pub struct TokenService<S, R = super::DefaultResponse> {
    inner: S,
    shared: Arc<Shared<R>>,
}

impl<S, R> TokenService<S, R> {
    pub(super) fn new(inner: S, shared: Arc<Shared<R>>) -> Self {
        TokenService { inner, shared }
    }
}

impl<S: Clone, R> Clone for TokenService<S, R> {
    fn clone(&self) -> Self {
        TokenService::new(self.inner.clone(), Arc::clone(&self.shared))
    }
}

impl<S: fmt::Debug, R> fmt::Debug for TokenService<S, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenService")
            .field("inner", &self.inner)
            .field("shutdown", &self.shared.shutdown)
            .finish_non_exhaustive()
    }
}

impl<S, R, B, C> Service<Request<B>> for TokenService<S, R>
where
    S: Service<Request<B>, Response = Response<C>>,
    R: OnCancelled<C>,
    C: Body,
{
    type Response = Response<TokenBody<C>>;
    type Error = S::Error;
    type Future = TokenFuture<S::Future, R>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> TokenFuture<S::Future, R> {
        let shared = Arc::clone(&self.shared);
        let is_grpc = is_grpc(request.headers());
        let timeout = match shared.timeout(request.headers()) {
            Ok(timeout) => timeout,
            Err(error) => return TokenFuture::stopped(Stopped::refused(error, is_grpc), shared),
        };
        let token = shared.token(request.extensions().get(), timeout);
        if let Err(error) = token.check() {
            stopped_early("request", &error);
            let stopped = Stopped::cancelled(error, &shared.shutdown, is_grpc);
            return TokenFuture::stopped(stopped, shared);
        }
        let has_body = !matches!(*request.method(), Method::HEAD | Method::CONNECT);
        let extensions = request.extensions_mut();
        extensions.insert(RequestToken::new(token.clone()));
        let watch = Watch::cancelling(token);
        let entered = Current::of(watch.token()).entered();
        let inner = self.inner.call(request);
        drop(entered);
        TokenFuture::running(inner, watch, shared, is_grpc, has_body)
    }
}
