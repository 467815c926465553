//! Servers that do nothing, with and without the layer.

use bytes::Bytes;
use cantok_core::SimpleToken;
use cantok_tower::TokenLayer;
use http::{Request, Response};
use http_body_util::Full;
use std::convert::Infallible;
use std::time::Duration;

pub(crate) const TIMEOUT: Duration = Duration::from_secs(60);

pub(crate) async fn nothing<B>(_: Request<B>) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(Response::new(Full::from("text")))
}

/// The layers: without a deadline, and with one.
pub(crate) fn layers() -> [(&'static str, TokenLayer); 2] {
    let layer = TokenLayer::new(SimpleToken::new());
    let timeout = layer.clone().timeout(TIMEOUT);
    [
        ("TokenLayer", layer),
        ("TokenLayer with a timeout", timeout),
    ]
}
