use super::PropagateService;
use crate::TimeoutHeader;
use std::sync::Arc;
use tower_layer::Layer;

/// A layer for clients: calls end with a token, and a header carries the remaining time to the next service.
///
/// The token is that of the request, from [`with_token`](crate::RequestTokenExt::with_token) or from the
/// [`TokenLayer`](crate::TokenLayer) that the request came through. Without one it is the [current
/// token](cantok_core::Token::current). In a service behind a `TokenLayer` that is the token of the request under way.
///
/// # Guarantees
///
/// - If the token has a deadline, the remaining time is written into a header, rounded down. A smaller value of the
///   header stays. The header is `grpc-timeout` for gRPC, by the content type, else `x-request-timeout` in seconds.
/// - Once the token is cancelled, the call fails with a [`CallError`](crate::CallError) that has the cause, even if the
///   response would be ready. The inner future or body is dropped, which resets the stream, or closes the connection of
///   HTTP/1.
/// - Each call is one [check](cantok_core::Token#checks-and-peeks). If the token is already cancelled, the inner
///   service is not called. Everything else peeks.
/// - Dropping a call cancels nothing, since the token belongs to the caller.
///
/// # Examples
///
/// ```
/// use cantok_core::TimeoutToken;
/// use cantok_tower::PropagateLayer;
/// use cantok_tower::prelude::*;
/// use http::{Request, Response};
/// use std::convert::Infallible;
/// use std::time::Duration;
/// use tower::{Layer as _, ServiceExt as _, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// // Stands for a connection.
/// let next = service_fn(async |request: Request<String>| {
///     let timeout = request.headers()["x-request-timeout"].to_str().unwrap();
///     Ok::<_, Infallible>(Response::new(timeout.to_owned()))
/// });
/// let client = PropagateLayer::new().layer(next);
///
/// let request = Request::new(String::new()).with_token(TimeoutToken::new(Duration::from_secs(10)));
/// let response = client.oneshot(request).await.unwrap();
/// let (_, body) = response.into_parts();
/// let seconds = http_body_util::BodyExt::collect(body).await.unwrap().to_bytes();
/// assert!(seconds.starts_with(b"9.9"));
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct PropagateLayer {
    header: Option<Arc<TimeoutHeader>>,
}

impl PropagateLayer {
    /// Writes `grpc-timeout` or `x-request-timeout`.
    pub fn new() -> Self {
        PropagateLayer::default()
    }

    /// Sets the header to write, for gRPC as well.
    #[must_use]
    pub fn header(mut self, header: TimeoutHeader) -> Self {
        self.header = Some(Arc::new(header));
        self
    }
}

impl<S> Layer<S> for PropagateLayer {
    type Service = PropagateService<S>;

    fn layer(&self, inner: S) -> PropagateService<S> {
        PropagateService::new(inner, self.header.clone())
    }
}
