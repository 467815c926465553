//! What people write without the layer.

use crate::server::{TIMEOUT, nothing};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use std::convert::Infallible;
use std::future::Future;
use tokio::time;
use tokio_util::sync::CancellationToken;
use tower::{Service, service_fn};

/// The least that a layer of one's own does for this: a child of tokio-util's token in the extensions, cancelled when
/// the response is dropped before it is ready, and tokio's timeout around it. It does not watch the body.
pub(crate) fn by_hand<B>(
    has_timeout: bool,
) -> impl Service<
    Request<B>,
    Response = Response<Full<Bytes>>,
    Error = Infallible,
    Future = impl Future<Output = Result<Response<Full<Bytes>>, Infallible>> + Send,
> + Clone
where
    B: Send + 'static,
{
    let shutdown = CancellationToken::new();
    service_fn(move |mut request: Request<B>| {
        let token = shutdown.child_token();
        request.extensions_mut().insert(token.clone());
        let guard = token.drop_guard();
        async move {
            let response = if has_timeout {
                let response = time::timeout(TIMEOUT, nothing(request)).await;
                response.expect("nothing takes no time")
            } else {
                nothing(request).await
            };
            guard.disarm();
            response
        }
    })
}
