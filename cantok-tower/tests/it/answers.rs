//! What a client is told when the layer ends its request.

use std::convert::Infallible;
use std::future::pending;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use crate::support::service::{run, token_of};
use cantok_core::{SimpleToken, TimeoutToken};
use cantok_tower::{Stopped, TokenLayer};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use tower::{Layer as _, ServiceExt as _, service_fn};

type Text = Full<bytes::Bytes>;

const MILLISECOND: Duration = Duration::from_millis(1);

fn request(headers: &[(&'static str, &'static str)]) -> Request<()> {
    let mut request = Request::new(());
    for &(name, value) in headers {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    request
}

/// What a service that never answers has a client told, status, gRPC's status and message, text.
async fn told(
    layer: TokenLayer,
    headers: &[(&'static str, &'static str)],
) -> (u16, String, String) {
    let layer = layer.on_cancelled(Stopped::text_response::<Text>);
    let service = layer.layer(service_fn(|_: Request<()>| {
        pending::<Result<Response<Text>, Infallible>>()
    }));
    let response = service.oneshot(request(headers)).await.unwrap();
    let (head, body) = response.into_parts();
    let header = |name| {
        head.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    };
    let status = format!("{} {}", header("grpc-status"), header("grpc-message"));
    let text = body.collect().await.unwrap().to_bytes();
    let text = String::from_utf8(text.into()).unwrap();
    (head.status.as_u16(), status, text)
}

const GRPC: (&str, &str) = ("content-type", "application/grpc+proto");

#[test]
fn deadlines_shutdowns_and_malformed_headers_differ() {
    run("answers", async || {
        let open = || TokenLayer::new(SimpleToken::new());
        let cancelled = SimpleToken::new().named("the server");
        cancelled.cancel_with("50 % off");
        let closed = || TokenLayer::new(&cancelled);
        for (layer, headers, status, text) in [
            (
                open().timeout(MILLISECOND),
                None,
                504,
                "the timeout of 1ms has expired",
            ),
            (
                open(),
                Some(("x-request-timeout", "0.001")),
                504,
                "the timeout of 1ms has expired",
            ),
            (closed(), None, 503, "the server: cancelled: 50 % off"),
            (
                closed().timeout(MILLISECOND),
                None,
                503,
                "the server: cancelled: 50 % off",
            ),
            (
                open(),
                Some(("grpc-timeout", "1s")),
                400,
                "grpc-timeout is not up to 8 digits and one of H, M, S, m, u and n",
            ),
        ] {
            let headers: Vec<_> = headers.into_iter().collect();
            let told_http = told(layer.clone(), &headers).await;
            assert_eq!(told_http, (status, " ".to_owned(), format!("{text}\n")));

            let headers = [&headers[..], &[GRPC]].concat();
            let code = match status {
                504 => 4,
                503 => 14,
                _ => 13,
            };
            let message = format!("{code} {}", text.replace('%', "%25"));
            assert_eq!(told(layer, &headers).await, (200, message, String::new()));
        }
    });
}

#[test]
fn a_deadline_of_the_server_is_a_shutdown() {
    run("the server's deadline", async || {
        let layer = TokenLayer::new(TimeoutToken::new(MILLISECOND).named("the day"));
        let (status, _, text) = told(layer.timeout(Duration::from_secs(3600)), &[]).await;
        assert_eq!(
            (status, &text[..]),
            (503, "the day: the timeout of 1ms has expired\n")
        );
    });
}

#[test]
fn grpc_web_is_answered_as_http() {
    run("gRPC-Web", async || {
        let layer = TokenLayer::new(SimpleToken::new()).timeout(MILLISECOND);
        let web = [("content-type", "application/grpc-web")];
        assert_eq!(told(layer, &web).await.0, 504);
    });
}

#[test]
fn without_a_closure_there_is_a_status() {
    run("the default", async || {
        let layer = TokenLayer::new(SimpleToken::new()).timeout(MILLISECOND);
        let service = layer.layer(service_fn(|_: Request<()>| {
            pending::<Result<Response<Text>, Infallible>>()
        }));
        let response = service.oneshot(Request::new(())).await.unwrap();
        assert_eq!(response.status(), StatusCode::GATEWAY_TIMEOUT);
        assert!(
            response
                .into_body()
                .collect()
                .await
                .unwrap()
                .to_bytes()
                .is_empty()
        );
    });
}

#[test]
fn the_token_comes_before_a_handler_that_answers_to_the_cancel() {
    run("a handler that answers", async || {
        let layer = TokenLayer::new(SimpleToken::new()).timeout(MILLISECOND);
        let service = layer.layer(service_fn(async |request: Request<()>| {
            let error = token_of(&request).cancelled_owned().await;
            Ok::<_, Infallible>(Response::new(Text::from(format!("partial: {error}"))))
        }));
        let response = service.oneshot(Request::new(())).await.unwrap();
        assert_eq!(response.status(), StatusCode::GATEWAY_TIMEOUT);
    });
}

#[test]
fn a_body_that_is_ready_is_not_cut_off_by_a_cancel_after_the_head() {
    run("a cancel between the head and the body", async || {
        let shutdown = SimpleToken::new();
        let service = TokenLayer::new(&shutdown).layer(service_fn(async |_: Request<()>| {
            Ok::<_, Infallible>(Response::new(Text::from("text")))
        }));
        let response = service.oneshot(Request::new(())).await.unwrap();
        shutdown.cancel();
        let text = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(text, "text");
    });
}

#[test]
fn the_service_is_dropped_before_the_client_gets_an_answer() {
    run("drops", async || {
        struct Held(mpsc::Sender<bool>, cantok_core::Token);

        impl Drop for Held {
            fn drop(&mut self) {
                self.0.send(self.1.peek_cancelled()).unwrap();
            }
        }

        let (sender, receiver) = mpsc::channel();
        let receiver = Arc::new(std::sync::Mutex::new(receiver));
        let layer = TokenLayer::new(SimpleToken::new())
            .timeout(50 * MILLISECOND)
            .on_cancelled(move |stopped: &Stopped| -> Response<Text> {
                assert_eq!(receiver.lock().unwrap().try_recv(), Ok(true));
                stopped.response()
            });
        let service = layer.layer(service_fn(move |request: Request<()>| {
            let held = Held(sender.clone(), token_of(&request));
            async move {
                let _held = held;
                pending::<Result<Response<Text>, Infallible>>().await
            }
        }));
        service.oneshot(Request::new(())).await.unwrap();
    });
}
