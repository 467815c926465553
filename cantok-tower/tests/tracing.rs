//! With the feature `tracing`, a request, body or call that a token ends is one event.
#![cfg(feature = "tracing")]

use std::convert::Infallible;
use std::future::pending;

use cantok_core::SimpleToken;
use cantok_testkit::events::stops;
use cantok_tower::prelude::*;
use cantok_tower::{PropagateLayer, TokenLayer};
use futures::FutureExt as _;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use tower::{Layer as _, Service as _, service_fn};

type Text = Full<bytes::Bytes>;

fn stopped(job: &str) -> String {
    format!("DEBUG cantok message=stopped early job=\"{job}\" token=\"stop\" cause=Cancelled")
}

async fn silent(_: Request<()>) -> Result<Response<Text>, Infallible> {
    pending().await
}

#[test]
fn a_request_that_is_stopped_is_one_event() {
    let events = stops(|| {
        let stop = SimpleToken::new().named("stop");
        let mut service = TokenLayer::new(&stop).layer(service_fn(silent));
        let mut future = Box::pin(service.call(Request::new(())));
        assert!(future.as_mut().now_or_never().is_none());
        drop(service.call(Request::new(())));
        stop.cancel();
        assert!(future.now_or_never().is_some());
        // Before it begins.
        assert!(service.call(Request::new(())).now_or_never().is_some());
    });
    assert_eq!(events, [stopped("request"), stopped("request")]);
}

#[test]
fn a_body_that_is_stopped_is_one_event() {
    let events = stops(|| {
        let stop = SimpleToken::new().named("stop");
        let mut service = TokenLayer::new(&stop).layer(service_fn(async |_: Request<()>| {
            let stream = http_body_util::StreamBody::new(futures::stream::pending::<
                Result<http_body::Frame<bytes::Bytes>, Infallible>,
            >());
            Ok::<_, Infallible>(Response::new(stream.boxed_unsync()))
        }));
        let response = service.call(Request::new(()));
        let mut body = response.now_or_never().unwrap().unwrap().into_body();
        assert!(body.frame().now_or_never().is_none());
        stop.cancel();
        assert!(body.frame().now_or_never().unwrap().unwrap().is_err());
    });
    assert_eq!(events, [stopped("body")]);
}

#[test]
fn a_call_that_is_stopped_is_one_event() {
    let events = stops(|| {
        let stop = SimpleToken::new().named("stop");
        let mut client = PropagateLayer::new().layer(service_fn(silent));
        let request = || Request::new(()).with_token(&stop);
        let mut future = Box::pin(client.call(request()));
        assert!(future.as_mut().now_or_never().is_none());
        stop.cancel();
        assert!(future.now_or_never().unwrap().is_err());
        assert!(client.call(request()).now_or_never().unwrap().is_err());
    });
    assert_eq!(events, [stopped("call"), stopped("call")]);
}
