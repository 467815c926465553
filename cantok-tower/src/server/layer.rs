use super::shared::Shared;
use super::{DefaultResponse, Stopped, TokenService};
use crate::TimeoutHeader;
use cantok_core::Token;
use http::Response;
use std::sync::Arc;
use std::time::Duration;
use tower_layer::Layer;

/// A layer that gives each request a token of its own.
///
/// # Guarantees
///
/// - The token is in the extensions of the request, as a [`RequestToken`](crate::RequestToken). It is also the
///   [current token](Token::current) while the service and its response are polled. It is derived from `shutdown`, and
///   from the token of an outer `TokenLayer`.
/// - It is cancelled when its deadline passes, when `shutdown` is cancelled, and when the response, or its body, is
///   dropped before its end. The last has the reason [`ClientGone`](crate::ClientGone): a server drops both when the
///   client closes the connection or resets the stream.
/// - **The token comes first.** Once it is cancelled, the service's future is dropped, even if it would be ready, and
///   [`on_cancelled`](TokenLayer::on_cancelled) makes the response. [`TokenBody`](crate::TokenBody) documents how a
///   body ends.
/// - A response that has ended does not cancel its token.
/// - Each request is one [check](Token#checks-and-peeks). If the token is already cancelled, the service is not called.
///   Everything else peeks.
///
/// # Deadlines
///
/// A request has the time of the [`timeout`](TokenLayer::timeout), or that of a header if it is less. The headers are
/// `grpc-timeout`, and `x-request-timeout` with a decimal number of seconds; [`headers`](TokenLayer::headers) chooses
/// others. The time counts from the call of the service to the end of the body. The response to a malformed header, or
/// to one that occurs twice, is 400.
///
/// # Shutdown
///
/// Pass `shutdown.delayed(grace)` to the layer, and have `shutdown` stop the server from accepting connections.
/// Requests under way then have `grace` to end.
///
/// # Upgrades
///
/// HTTP ends with the response. Work on an upgraded connection has the token for as long as it keeps it, with the same
/// deadline. Use a layer without a timeout for WebSockets, or add up other tokens.
///
/// # Examples
///
/// ```
/// use cantok_core::SimpleToken;
/// use cantok_tower::{RequestToken, TokenLayer};
/// use http::{Request, Response, StatusCode};
/// use std::convert::Infallible;
/// use std::time::Duration;
/// use tower::{Layer as _, ServiceExt as _, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let shutdown = SimpleToken::new();
/// let layer = TokenLayer::new(&shutdown).timeout(Duration::from_secs(30));
/// let service = layer.layer(service_fn(async |request: Request<String>| {
///     let token = request.extensions().get::<RequestToken>().unwrap();
///     token.sleep(Duration::from_millis(1)).ok(); // work that checks its token
///     Ok::<_, Infallible>(Response::new(String::new()))
/// }));
///
/// let request = Request::get("/").body(String::new()).unwrap();
/// let response = service.clone().oneshot(request).await.unwrap();
/// assert_eq!(response.status(), StatusCode::OK);
///
/// let late = Request::get("/").header("x-request-timeout", "0");
/// let response = service.oneshot(late.body(String::new()).unwrap()).await.unwrap();
/// assert_eq!(response.status(), StatusCode::GATEWAY_TIMEOUT);
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct TokenLayer<R = DefaultResponse> {
    config: Shared<R>,
}

impl TokenLayer {
    /// Makes a layer whose requests end with `shutdown`. Their only timeout is that of a header.
    pub fn new(shutdown: impl Into<Token>) -> Self {
        TokenLayer {
            config: Shared {
                shutdown: shutdown.into(),
                timeout: None,
                headers: vec![TimeoutHeader::grpc(), TimeoutHeader::request_timeout()],
                respond: DefaultResponse,
            },
        }
    }
}

impl<R> TokenLayer<R> {
    /// Sets the maximum time of a request. A header can only shorten it.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.config.timeout = Some(timeout);
        self
    }

    /// Sets the headers that may shorten the timeout of a request, instead of `grpc-timeout` and `x-request-timeout`.
    ///
    /// The smallest value counts. With an empty list no header counts.
    #[must_use]
    pub fn headers(mut self, headers: impl IntoIterator<Item = TimeoutHeader>) -> Self {
        self.config.headers = headers.into_iter().collect();
        self
    }

    /// Sets the closure that makes the response to a stopped request. Its body has the type of the service's body.
    ///
    /// The default response has only a [status](Stopped::status), or that of gRPC.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::SimpleToken;
    /// use cantok_tower::{Stopped, TokenLayer};
    /// use http::{HeaderValue, Request, Response, StatusCode, header};
    /// use http_body_util::{BodyExt as _, Full};
    /// use std::convert::Infallible;
    /// use std::future::pending;
    /// use std::time::Duration;
    /// use tower::{Layer as _, ServiceExt as _, service_fn};
    ///
    /// type Body = Full<&'static [u8]>;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let layer = TokenLayer::new(SimpleToken::new())
    ///     .timeout(Duration::from_millis(5))
    ///     .on_cancelled(|stopped: &Stopped| {
    ///         let mut response: Response<Body> = stopped.response();
    ///         if !stopped.is_deadline() {
    ///             let soon = HeaderValue::from_static("1");
    ///             response.headers_mut().insert(header::RETRY_AFTER, soon);
    ///         }
    ///         response
    ///     });
    /// let service = layer.layer(service_fn(|_: Request<Body>| pending::<Result<_, Infallible>>()));
    ///
    /// let response = service.oneshot(Request::new(Body::default())).await.unwrap();
    /// assert_eq!(response.status(), StatusCode::GATEWAY_TIMEOUT);
    /// assert!(!response.headers().contains_key(header::RETRY_AFTER));
    /// assert!(response.into_body().collect().await.unwrap().to_bytes().is_empty());
    /// # }
    /// ```
    #[must_use]
    pub fn on_cancelled<B, F>(self, respond: F) -> TokenLayer<F>
    where
        F: Fn(&Stopped) -> Response<B>,
    {
        let Shared {
            shutdown,
            timeout,
            headers,
            respond: _,
        } = self.config;
        TokenLayer {
            config: Shared {
                shutdown,
                timeout,
                headers,
                respond,
            },
        }
    }
}

impl<S, R: Clone> Layer<S> for TokenLayer<R> {
    type Service = TokenService<S, R>;

    fn layer(&self, inner: S) -> TokenService<S, R> {
        TokenService::new(inner, Arc::new(self.config.clone()))
    }
}
