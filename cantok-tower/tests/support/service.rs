//! Services under the layer, and what their requests come to.

use bytes::Bytes;
use cantok_core::Token;
use cantok_testkit::watchdog;
use cantok_tower::{ClientGone, RequestToken};
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full, combinators::UnsyncBoxBody};
use std::convert::Infallible;
use tokio::runtime::Builder;

pub(crate) type Body = UnsyncBoxBody<Bytes, Infallible>;

pub(crate) fn body(text: &'static str) -> Body {
    Full::from(text).boxed_unsync()
}

pub(crate) fn answer(text: &'static str) -> Response<Body> {
    Response::new(body(text))
}

/// The token that the layer has given to a request.
#[track_caller]
pub(crate) fn token_of<B>(request: &Request<B>) -> Token {
    let token = request.extensions().get::<RequestToken>();
    token.expect("the request has a token").into()
}

/// Runs `test` on a runtime, bounded by the watchdog.
pub(crate) fn run(what: &'static str, test: impl AsyncFnOnce() + Send + 'static) {
    watchdog(what, move || {
        let mut builder = Builder::new_current_thread();
        let runtime = builder.enable_all().build().expect("a runtime");
        runtime.block_on(test());
    });
}

/// That the token was cancelled because the response was dropped.
#[track_caller]
pub(crate) fn assert_gone(token: &Token) {
    let error = token.cancellation().expect("the token is cancelled");
    assert!(error.reason::<ClientGone>().is_some(), "{error}");
    assert!(error.is_from(token));
}
