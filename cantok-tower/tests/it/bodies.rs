//! Bodies that stream end with the token, and end the token where they are dropped.

use std::convert::Infallible;
use std::sync::mpsc;
use std::time::Duration;

use crate::support::service::{assert_gone, run, token_of};
use bytes::Bytes;
use cantok_core::{SimpleToken, Token};
use cantok_tower::{TokenBody, TokenLayer, cancellation};
use futures::FutureExt as _;
use futures::channel::mpsc::{UnboundedSender, unbounded};
use futures::stream::{self, StreamExt as _};
use http::{Request, Response};
use http_body::Frame;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, StreamBody};
use tower::{Layer as _, ServiceExt as _, service_fn};

type Stream = UnsyncBoxBody<Bytes, Infallible>;

fn data(text: &'static str) -> Frame<Bytes> {
    Frame::data(Bytes::from(text))
}

/// A response whose frames are sent.
fn channel() -> (UnboundedSender<Frame<Bytes>>, Stream) {
    let (sender, receiver) = unbounded();
    (sender, StreamBody::new(receiver.map(Ok)).boxed_unsync())
}

/// The token and the body of a response with these frames.
async fn response(
    layer: TokenLayer,
    body: Stream,
    content: &'static str,
) -> (Token, TokenBody<Stream>) {
    let (sender, receiver) = mpsc::channel();
    let mut body = Some(body);
    let service = layer.layer(service_fn(move |request: Request<()>| {
        sender.send(token_of(&request)).unwrap();
        let mut response = Response::new(body.take().unwrap());
        let headers = response.headers_mut();
        headers.insert("content-type", content.parse().unwrap());
        async { Ok::<_, Infallible>(response) }
    }));
    let mut request = Request::new(());
    let headers = request.headers_mut();
    headers.insert("content-type", content.parse().unwrap());
    let response = service.oneshot(request).await.unwrap();
    (receiver.recv().unwrap(), response.into_body())
}

#[test]
fn a_cancel_ends_a_body_that_waits() {
    run("a body that waits", async || {
        let shutdown = SimpleToken::new();
        let (sender, stream) = channel();
        let (token, mut body) = response(TokenLayer::new(&shutdown), stream, "text/plain").await;
        sender.unbounded_send(data("one")).unwrap();
        assert!(body.frame().await.unwrap().is_ok());
        let (frame, ()) = tokio::join!(body.frame(), async {
            shutdown.cancel();
        });
        let error = frame.unwrap().unwrap_err();
        assert!(cancellation(&error).unwrap().is_from(&shutdown));
        assert!(body.frame().await.is_none());
        // The inner body is gone.
        assert!(sender.is_closed());
        assert!(token.cancellation().unwrap().is_from(&shutdown));
    });
}

#[test]
fn a_deadline_ends_a_body_that_is_always_ready() {
    run("an endless body", async || {
        let endless = stream::repeat_with(|| Ok::<_, Infallible>(data("more")));
        let layer = TokenLayer::new(SimpleToken::new()).timeout(Duration::from_millis(50));
        let stream = StreamBody::new(endless).boxed_unsync();
        let (_, mut body) = response(layer, stream, "text/plain").await;
        let error = loop {
            if let Err(error) = body.frame().await.unwrap() {
                break error;
            }
        };
        assert_eq!(error.to_string(), "the timeout of 50ms has expired");
    });
}

#[test]
fn a_body_of_grpc_ends_with_trailers() {
    for (timeout, code, message) in [
        (
            Some(Duration::from_millis(50)),
            "4",
            "the timeout of 50ms has expired",
        ),
        (None, "14", "cancelled"),
    ] {
        run("trailers", async move || {
            let shutdown = SimpleToken::new();
            let mut layer = TokenLayer::new(&shutdown);
            if let Some(timeout) = timeout {
                layer = layer.timeout(timeout);
            }
            let (sender, stream) = channel();
            let (_, mut body) = response(layer, stream, "application/grpc").await;
            sender.unbounded_send(data("message")).unwrap();
            assert!(body.frame().await.unwrap().unwrap().is_data());
            let (frame, ()) = tokio::join!(body.frame(), async {
                if timeout.is_none() {
                    shutdown.cancel();
                }
            });
            let trailers = frame.unwrap().unwrap().into_trailers().unwrap();
            assert_eq!(trailers["grpc-status"], code);
            assert_eq!(trailers["grpc-message"], message);
            assert!(body.frame().await.is_none());
        });
    }
}

#[test]
fn trailers_are_the_end() {
    run("trailers", async || {
        let (sender, stream) = channel();
        let layer = TokenLayer::new(SimpleToken::new());
        let (token, mut body) = response(layer, stream, "application/grpc").await;
        sender.unbounded_send(data("message")).unwrap();
        sender
            .unbounded_send(Frame::trailers(http::HeaderMap::new()))
            .unwrap();
        assert!(body.frame().await.unwrap().unwrap().is_data());
        assert!(body.frame().await.unwrap().unwrap().is_trailers());
        drop(body);
        assert!(token.keep_on());
    });
}

#[test]
fn a_body_that_fails_is_not_a_client_that_is_gone() {
    run("a body that fails", async || {
        let failing = stream::iter([Ok(data("one")), Err("an error")]);
        let (sender, receiver) = mpsc::channel();
        let mut failing = Some(StreamBody::new(failing).boxed_unsync());
        let layer = TokenLayer::new(SimpleToken::new()).on_cancelled(|_: &_| unreachable!());
        let service = layer.layer(service_fn(move |request: Request<()>| {
            sender.send(token_of(&request)).unwrap();
            let response = Response::new(failing.take().unwrap());
            async { Ok::<_, Infallible>(response) }
        }));
        let mut body = service.oneshot(Request::new(())).await.unwrap().into_body();
        assert!(body.frame().await.unwrap().is_ok());
        let error = body.frame().await.unwrap().unwrap_err();
        assert_eq!(error.into_inner().unwrap().to_string(), "an error");
        drop(body);
        assert!(receiver.recv().unwrap().keep_on());
    });
}

#[test]
fn a_body_that_is_dropped_while_it_waits_cancels() {
    run("a body that is dropped", async || {
        let (sender, stream) = channel();
        let layer = TokenLayer::new(SimpleToken::new());
        let (token, mut body) = response(layer, stream, "text/plain").await;
        sender.unbounded_send(data("one")).unwrap();
        assert!(body.frame().await.unwrap().is_ok());
        assert!(body.frame().now_or_never().is_none());
        assert!(token.keep_on());
        drop(body);
        assert_gone(&token);
    });
}

#[test]
fn the_current_token_of_a_body_is_that_of_the_request() {
    run("current tokens", async || {
        let current = stream::once(async { Ok::<_, Infallible>(Token::current()) });
        let (sender, receiver) = mpsc::channel();
        let stream = current.map(move |token| {
            sender.send(token.unwrap()).unwrap();
            Ok::<_, Infallible>(data("one"))
        });
        let stream = StreamBody::new(stream).boxed_unsync();
        let layer = TokenLayer::new(SimpleToken::new());
        let (token, body) = response(layer, stream, "text/plain").await;
        body.collect().await.unwrap();
        assert_eq!(receiver.recv().unwrap(), token);
    });
}
