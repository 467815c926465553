//! Calls take what remains of their token's time along, and end with the token.

use std::convert::Infallible;
use std::future::pending;
use std::sync::mpsc;
use std::time::Duration;

use crate::support::service::{Body, answer, run};
use cantok_core::{CounterToken, SimpleToken, TimeoutToken, Token};
use cantok_tower::prelude::*;
use cantok_tower::{PropagateLayer, TimeoutHeader, TokenLayer, cancellation};
use futures::FutureExt as _;
use http::{HeaderMap, HeaderName, Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use tower::{Layer as _, Service as _, ServiceExt as _, service_fn};

const GRPC: &str = "grpc-timeout";
const SECONDS: &str = "x-request-timeout";

/// The headers that a call is sent with.
fn sent(layer: &PropagateLayer, request: Request<()>) -> HeaderMap {
    let (sender, receiver) = mpsc::channel();
    let mut client = layer.layer(service_fn(move |request: Request<()>| {
        sender.send(request.headers().clone()).unwrap();
        async { Ok::<_, Infallible>(answer("text")) }
    }));
    client.call(request).now_or_never().unwrap().unwrap();
    receiver.recv().unwrap()
}

fn request(headers: &[(&'static str, &str)]) -> Request<()> {
    let mut request = Request::new(());
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    request
}

fn minute() -> TimeoutToken {
    TimeoutToken::new(Duration::from_secs(60))
}

fn seconds(headers: &HeaderMap) -> Duration {
    let header = TimeoutHeader::seconds(HeaderName::from_static(SECONDS));
    header.read(headers).unwrap().unwrap()
}

#[test]
fn what_remains_is_written() {
    let headers = sent(&PropagateLayer::new(), request(&[]).with_token(minute()));
    assert!(seconds(&headers) <= Duration::from_secs(60));
    assert!(seconds(&headers) > Duration::from_secs(1));
    assert!(!headers.contains_key(GRPC));
}

#[test]
fn grpc_has_a_header_of_its_own() {
    let grpc = request(&[("content-type", "application/grpc")]);
    let headers = sent(&PropagateLayer::new(), grpc.with_token(minute()));
    let timeout = TimeoutHeader::grpc().read(&headers).unwrap().unwrap();
    assert!(timeout <= Duration::from_secs(60) && timeout > Duration::from_secs(1));
    assert!(!headers.contains_key(SECONDS));
}

#[test]
fn another_header_can_be_chosen() {
    let name = HeaderName::from_static("connect-timeout-ms");
    let layer = PropagateLayer::new().header(TimeoutHeader::milliseconds(name));
    let headers = sent(&layer, request(&[]).with_token(minute()));
    let millis: u64 = headers["connect-timeout-ms"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!(millis <= 60_000);
    assert_eq!(headers.len(), 1);
}

#[test]
fn without_a_deadline_nothing_is_written() {
    let layer = PropagateLayer::new();
    assert!(sent(&layer, request(&[])).is_empty());
    let request = request(&[]).with_token(SimpleToken::new());
    assert!(sent(&layer, request).is_empty());
}

#[test]
fn a_header_with_less_time_stays() {
    let layer = PropagateLayer::new();
    let before = request(&[(SECONDS, "0.5")]).with_token(minute());
    assert_eq!(sent(&layer, before)[SECONDS], "0.5");
    // As when a request is passed on, some time after it came.
    for before in ["3600", "absurd"] {
        let before = request(&[(SECONDS, before)]).with_token(minute());
        assert!(seconds(&sent(&layer, before)) <= Duration::from_secs(60));
    }
}

#[test]
fn the_token_is_that_of_the_request_or_the_current_one() {
    let layer = PropagateLayer::new();
    let hour = TimeoutToken::new(Duration::from_secs(3600));
    let current = minute().enter(|| sent(&layer, request(&[])));
    assert!(seconds(&current) <= Duration::from_secs(60));
    let given = minute().enter(|| sent(&layer, request(&[]).with_token(&hour)));
    assert!(seconds(&given) > Duration::from_secs(60));
}

#[test]
fn a_handler_passes_its_time_on_without_a_word() {
    run("a service that calls another", async || {
        let next = PropagateLayer::new().layer(service_fn(async |request: Request<()>| {
            assert!(seconds(request.headers()) <= Duration::from_secs(60));
            Ok::<_, Infallible>(answer("text"))
        }));
        let service =
            TokenLayer::new(SimpleToken::new()).layer(service_fn(move |_: Request<()>| {
                let next = next.clone();
                async move {
                    tokio::task::yield_now().await;
                    let response = next.oneshot(request(&[])).await.unwrap();
                    Ok::<_, Infallible>(
                        response.map(|body| body.map_err(|_| unreachable!()).boxed_unsync()),
                    )
                }
            }));
        let response: Response<_> = service.oneshot(request(&[(SECONDS, "60")])).await.unwrap();
        let body: Body = response
            .into_body()
            .map_err(|_| unreachable!())
            .boxed_unsync();
        assert_eq!(body.collect().await.unwrap().to_bytes(), "text");
    });
}

#[test]
fn a_call_ends_with_its_token() {
    run("a call", async || {
        struct Held(mpsc::Sender<()>);

        impl Drop for Held {
            fn drop(&mut self) {
                self.0.send(()).unwrap();
            }
        }

        let (sender, dropped) = mpsc::channel();
        let client = PropagateLayer::new().layer(service_fn(move |_: Request<()>| {
            let held = Held(sender.clone());
            async move {
                let _held = held;
                pending::<Result<Response<Body>, Infallible>>().await
            }
        }));
        let token = SimpleToken::new();
        let call = client.clone().oneshot(request(&[]).with_token(&token));
        let (ended, ()) = tokio::join!(call, async {
            token.cancel_with("enough");
        });
        let error = ended.unwrap_err();
        assert_eq!(error.to_string(), "cancelled: enough");
        assert!(error.cancellation().unwrap().is_from(&token));
        dropped.recv().unwrap();

        let token = TimeoutToken::new(Duration::from_millis(1));
        let call = client.oneshot(request(&[]).with_token(&token));
        let error = call.await.unwrap_err();
        assert!(cancellation(&error).unwrap().is_from(&token));
    });
}

#[test]
fn a_body_ends_with_its_token_and_dropping_it_cancels_nothing() {
    run("a body", async || {
        let client = PropagateLayer::new().layer(service_fn(async |_: Request<()>| {
            let one = Ok::<_, Infallible>(Frame::data(bytes::Bytes::from("one")));
            let stream =
                futures::StreamExt::chain(futures::stream::iter([one]), futures::stream::pending());
            Ok::<_, Infallible>(Response::new(StreamBody::new(stream).boxed_unsync()))
        }));
        let token = SimpleToken::new();
        let call = || client.clone().oneshot(request(&[]).with_token(&token));
        drop(call());
        drop(call().await.unwrap());
        assert!(token.keep_on());

        let mut body = call().await.unwrap().into_body();
        assert!(body.frame().await.unwrap().is_ok());
        let (frame, ()) = tokio::join!(body.frame(), async {
            token.cancel();
        });
        let error = frame.unwrap().unwrap_err();
        assert!(error.into_inner().unwrap_err().is_from(&token));
        assert!(body.frame().await.is_none());
    });
}

#[test]
fn a_call_is_one_check() {
    let budget = CounterToken::new(2);
    let layer = PropagateLayer::new();
    for left in [1, 0] {
        sent(&layer, request(&[]).with_token(&budget));
        assert_eq!(budget.remaining(), left);
    }
    let mut client = layer.layer(service_fn(|_: Request<()>| {
        panic!("called without a unit");
        #[expect(unreachable_code)]
        pending::<Result<Response<Body>, Infallible>>()
    }));
    let refused = client.call(request(&[]).with_token(&budget));
    let error = refused.now_or_never().unwrap().unwrap_err();
    assert!(error.cancellation().unwrap().is_from(&budget));
}

#[test]
fn a_failure_of_the_client_is_passed_on() {
    let mut client = PropagateLayer::new().layer(service_fn(async |_: Request<()>| {
        Err::<Response<Body>, _>("no connection")
    }));
    let failed = client.call(request(&[]).with_token(Token::never()));
    let error = failed.now_or_never().unwrap().unwrap_err();
    assert!(error.cancellation().is_none());
    assert_eq!(error.into_inner().unwrap().to_string(), "no connection");
}
