//! Each request has a token of its own, which is cancelled by what ends the request, and by nothing else.

use std::convert::Infallible;
use std::future::pending;
use std::sync::mpsc;
use std::task::{Context, Waker};
use std::time::Duration;

use crate::support::service::{Body, answer, assert_gone, run, token_of};
use cantok_core::{Cause, CounterToken, SimpleToken, TimeoutToken, Token};
use cantok_tower::{TokenBody, TokenFuture, TokenLayer};
use futures::FutureExt as _;
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use tower::{Layer as _, Service, ServiceExt as _, service_fn};

const HOUR: Duration = Duration::from_secs(3600);

fn request() -> Request<()> {
    Request::new(())
}

/// The token of a request to a service that answers with `response`, and what it has answered.
async fn answered<B>(
    layer: TokenLayer,
    request: Request<()>,
    response: Response<B>,
) -> (Token, Response<TokenBody<B>>)
where
    B: http_body::Body + Default,
{
    let (sender, receiver) = mpsc::channel();
    let service = layer.layer(service_fn({
        let mut response = Some(response);
        move |request: Request<()>| {
            sender.send(token_of(&request)).unwrap();
            let response = response.take().unwrap();
            async { Ok::<_, Infallible>(response) }
        }
    }));
    let response = service.oneshot(request).await.unwrap();
    (receiver.recv().unwrap(), response)
}

/// A request that is not answered: its token and its future.
fn unanswered(
    layer: &TokenLayer,
) -> (
    Token,
    impl Future<Output = Response<TokenBody<Body>>> + use<>,
) {
    let (sender, receiver) = mpsc::channel();
    let mut service = layer.layer(service_fn(move |request: Request<()>| {
        sender.send(token_of(&request)).unwrap();
        pending::<Result<Response<Body>, Infallible>>()
    }));
    let future: TokenFuture<_, _> = service.call(request());
    (receiver.recv().unwrap(), future.map(Result::unwrap))
}

fn poll_once(future: &mut (impl Future + Unpin)) {
    let pending = future.poll_unpin(&mut Context::from_waker(Waker::noop()));
    assert!(pending.is_pending());
}

#[test]
fn a_token_outlives_a_response_that_has_ended() {
    run("a response", async || {
        let shutdown = SimpleToken::new();
        let layer = TokenLayer::new(&shutdown);
        let (token, response) = answered(layer, request(), answer("text")).await;
        assert!(!token.peek_cancelled() && token != *shutdown);
        let text = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(text, "text");
        assert!(token.keep_on());
        shutdown.cancel();
        assert!(token.cancellation().unwrap().is_from(&shutdown));
    });
}

#[test]
fn a_future_that_is_dropped_has_lost_its_client() {
    let shutdown = SimpleToken::new();
    for layer in [
        TokenLayer::new(&shutdown),
        TokenLayer::new(&shutdown).timeout(HOUR),
    ] {
        // Polled or not.
        let (token, future) = unanswered(&layer);
        assert!(token.keep_on());
        drop(future);
        assert_gone(&token);

        let (token, mut future) = unanswered(&layer);
        let (other, _other) = unanswered(&layer);
        poll_once(&mut future);
        assert!(token.keep_on());
        drop(future);
        assert_gone(&token);
        assert!(other.keep_on());
    }
    assert!(shutdown.keep_on());
}

#[test]
fn a_body_that_is_dropped_has_lost_its_client() {
    run("bodies", async || {
        let layer = || TokenLayer::new(SimpleToken::new());
        let (token, response) = answered(layer(), request(), answer("text")).await;
        assert!(token.keep_on());
        drop(response);
        assert_gone(&token);

        let frames = ["one", "two"]
            .map(|text| Ok::<_, Infallible>(http_body::Frame::data(bytes::Bytes::from(text))));
        let stream = http_body_util::StreamBody::new(futures::stream::iter(frames)).boxed_unsync();
        let (token, response) = answered(layer(), request(), Response::new(stream)).await;
        let mut body = response.into_body();
        for _ in 0..2 {
            assert!(body.frame().await.unwrap().is_ok());
            assert!(token.keep_on());
        }
        // All bytes, but neither a length nor an end.
        drop(body);
        assert_gone(&token);
    });
}

#[test]
fn what_no_client_reads_is_no_loss() {
    run("responses without a body", async || {
        let layer = || TokenLayer::new(SimpleToken::new());
        let response = |status| {
            let mut response = answer("text");
            *response.status_mut() = status;
            response
        };
        for (method, status) in [
            (Method::HEAD, StatusCode::OK),
            (Method::CONNECT, StatusCode::OK),
            (Method::GET, StatusCode::SWITCHING_PROTOCOLS),
            (Method::GET, StatusCode::NO_CONTENT),
            (Method::GET, StatusCode::NOT_MODIFIED),
        ] {
            let mut request = request();
            *request.method_mut() = method;
            let (token, response) = answered(layer(), request, response(status)).await;
            drop(response);
            assert!(token.keep_on(), "{status}");
        }

        let (token, response) = answered(layer(), request(), answer("")).await;
        drop(response);
        assert!(token.keep_on());
    });
}

#[test]
fn as_many_bytes_as_were_announced_are_the_end() {
    run("a body with a length", async || {
        let frames = ["one", "two"]
            .map(|text| Ok::<_, Infallible>(http_body::Frame::data(bytes::Bytes::from(text))));
        let stream = http_body_util::StreamBody::new(futures::stream::iter(frames)).boxed_unsync();
        let mut response = Response::new(stream);
        response.headers_mut().insert("content-length", 6.into());
        let (token, response) =
            answered(TokenLayer::new(SimpleToken::new()), request(), response).await;
        let mut body = response.into_body();
        for _ in 0..2 {
            assert!(body.frame().await.unwrap().is_ok());
        }
        // As hyper does for HTTP/1.
        drop(body);
        assert!(token.keep_on());
    });
}

#[test]
fn the_deadline_ends_a_request() {
    run("a deadline", async || {
        let layer = TokenLayer::new(SimpleToken::new()).timeout(Duration::from_millis(50));
        let (token, future) = unanswered(&layer);
        future.await;
        let error = token.cancellation().unwrap();
        let after = Duration::from_millis(50);
        assert_eq!(*error.cause(), Cause::Timeout { after });
    });
}

#[test]
fn the_shutdown_ends_every_request() {
    run("a shutdown", async || {
        let shutdown = SimpleToken::new().named("shutdown");
        let layer = TokenLayer::new(&shutdown).timeout(HOUR);
        let mut requests = [unanswered(&layer), unanswered(&layer)];
        for (_, future) in &mut requests {
            poll_once(future);
        }
        shutdown.cancel_with("SIGTERM");
        for (token, future) in requests {
            future.await;
            let error = token.cancellation().unwrap();
            assert_eq!(error.to_string(), "shutdown: cancelled: SIGTERM");
        }
    });
}

#[test]
fn the_hard_stop_comes_after_the_grace_period() {
    run("a delayed shutdown", async || {
        let shutdown = SimpleToken::new();
        let layer = TokenLayer::new(shutdown.delayed(HOUR));
        let (token, mut future) = unanswered(&layer);
        shutdown.cancel();
        poll_once(&mut future);
        assert!(token.keep_on());

        let shutdown = SimpleToken::new();
        let layer = TokenLayer::new(shutdown.delayed(Duration::from_millis(1)));
        let (token, future) = unanswered(&layer);
        shutdown.cancel();
        future.await;
        assert!(token.cancellation().unwrap().is_from(&shutdown));
    });
}

#[test]
fn a_request_is_one_check() {
    run("checks", async || {
        let budget = CounterToken::new(2);
        let layer = TokenLayer::new(&budget);
        let (sender, called) = mpsc::channel();
        let service = layer.layer(service_fn(move |_: Request<()>| {
            sender.send(()).unwrap();
            async { Ok::<_, Infallible>(answer("text")) }
        }));
        for left in [1, 0] {
            let response = service.clone().oneshot(request()).await.unwrap();
            response.into_body().collect().await.unwrap();
            assert_eq!(budget.remaining(), left);
        }
        let refused = service.oneshot(request()).await.unwrap();
        assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(called.iter().count(), 2);
    });
}

#[test]
fn nested_layers_add_up() {
    for ends in 0..2 {
        let shutdowns = [SimpleToken::new(), SimpleToken::new()];
        let (sender, receiver) = mpsc::channel();
        let service = service_fn(move |request: Request<()>| {
            sender.send(token_of(&request)).unwrap();
            pending::<Result<Response<Body>, Infallible>>()
        });
        let service = TokenLayer::new(&shutdowns[0]).timeout(HOUR).layer(service);
        let service = service.map_response(|_| answer(""));
        let mut service = TokenLayer::new(&shutdowns[1]).layer(service);
        let _future = service.call(request());
        let token = receiver.recv().unwrap();
        assert!(token.keep_on());
        shutdowns[ends].cancel();
        assert!(token.cancellation().unwrap().is_from(&shutdowns[ends]));
    }
}

#[test]
fn the_current_token_is_that_of_the_request() {
    run("current tokens", async || {
        let layer = TokenLayer::new(SimpleToken::new());
        let service = layer.layer(service_fn(|request: Request<()>| {
            let token = token_of(&request);
            assert_eq!(Token::current(), token);
            async move {
                tokio::task::yield_now().await;
                assert_eq!(Token::current(), token);
                Ok::<_, Infallible>(answer("text"))
            }
        }));
        let outside = TimeoutToken::new(HOUR);
        let future = service.oneshot(request());
        assert_eq!(outside.enter(Token::current), *outside);
        future.await.unwrap();
        assert!(!Token::current().can_be_cancelled());
    });
}

#[test]
fn an_error_of_the_service_is_passed_on_and_cancels_nothing() {
    run("an error", async || {
        let (sender, receiver) = mpsc::channel();
        let layer = TokenLayer::new(SimpleToken::new());
        let service = layer.layer(service_fn(move |request: Request<()>| {
            sender.send(token_of(&request)).unwrap();
            async { Err::<Response<Body>, _>("an error") }
        }));
        assert_eq!(service.oneshot(request()).await.unwrap_err(), "an error");
        assert!(receiver.recv().unwrap().keep_on());
    });
}

#[test]
fn a_panic_cancels_and_says_so() {
    run("a panic", async || {
        let (sender, receiver) = mpsc::channel();
        let layer = TokenLayer::new(SimpleToken::new());
        let service = layer.layer(service_fn(move |request: Request<()>| {
            sender.send(token_of(&request)).unwrap();
            async {
                if true {
                    panic!("on purpose");
                }
                Ok::<_, Infallible>(answer(""))
            }
        }));
        let panic = std::panic::AssertUnwindSafe(service.oneshot(request())).catch_unwind();
        assert!(panic.await.is_err());
        let error = receiver.recv().unwrap().cancellation().unwrap();
        assert_eq!(error.to_string(), "cancelled: the service has panicked");
    });
}
