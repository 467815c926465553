//! Over HTTP/2, with a thousand streams on one connection of which random ones are reset, exactly theirs are cancelled.

use crate::support::server::{Protocol, Tokens, serve};
use crate::support::service::{assert_gone, run};
use bytes::Bytes;
use cantok_core::{SimpleToken, Token};
use cantok_tower::{PropagateLayer, RequestTokenExt as _, TokenLayer, cancellation};
use http::Request;
use http_body_util::{BodyExt as _, Empty};
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rand::Rng as _;
use std::collections::HashMap;
use tower::{Layer as _, ServiceExt as _, service_fn};

type Sender = SendRequest<Empty<Bytes>>;

const STREAMS: usize = 1_000;

async fn connect(layer: &TokenLayer) -> (Sender, Tokens) {
    let (client, tokens) = serve(layer, Protocol::Http2);
    let handshake = http2::handshake(TokioExecutor::new(), TokioIo::new(client)).await;
    let (sender, connection) = handshake.unwrap();
    tokio::spawn(connection);
    (sender, tokens)
}

fn get(path: &str) -> Request<Empty<Bytes>> {
    let uri = format!("http://localhost{path}");
    Request::get(uri).body(Empty::new()).unwrap()
}

/// When it returns, the server has seen what was sent before.
async fn round_trip(sender: &mut Sender, tokens: &mut Tokens) -> Token {
    let response = sender.send_request(get("/")).await.unwrap();
    response.into_body().collect().await.unwrap();
    let (path, token) = tokens.recv().await.unwrap();
    assert_eq!(path, "/");
    token
}

#[test]
fn of_a_thousand_streams_those_that_are_reset_are_cancelled() {
    run("a thousand streams", async || {
        let shutdown = SimpleToken::new();
        let (mut sender, mut tokens) = connect(&TokenLayer::new(&shutdown)).await;
        let mut calls = Vec::new();
        for number in 0..STREAMS {
            let path = ["never", "stream", "answer"][number % 3];
            let path = format!("/{path}/{number}");
            let response = sender.send_request(get(&path));
            // Until they are reset, streams are open as futures or as bodies.
            calls.push((
                path,
                tokio::spawn(async {
                    let response = response.await.unwrap();
                    let mut body = response.into_body();
                    while let Some(frame) = body.frame().await {
                        frame.unwrap();
                    }
                }),
            ));
        }
        let mut found: HashMap<String, Token> = HashMap::new();
        while found.len() < STREAMS {
            let (path, token) = tokens.recv().await.unwrap();
            assert!(found.insert(path, token).is_none());
        }

        let mut random = rand::rng();
        let mut open = Vec::new();
        let mut reset = Vec::new();
        let mut answered = Vec::new();
        for (path, call) in calls {
            let token = &found[&path];
            if path.starts_with("/answer") {
                call.await.unwrap();
                answered.push(token);
            } else if random.random() {
                call.abort();
                assert!(call.await.unwrap_err().is_cancelled());
                reset.push(token);
            } else {
                open.push((call, token));
            }
        }
        for token in &reset {
            token.cancelled().await;
            assert_gone(token);
        }
        round_trip(&mut sender, &mut tokens).await;
        assert!(open.iter().all(|(_, token)| token.keep_on()));
        assert!(answered.iter().all(|token| token.keep_on()));

        // The connection ends: so do the rest.
        for (call, _) in &open {
            call.abort();
        }
        drop(sender);
        for (_, token) in open {
            token.cancelled().await;
            assert_gone(token);
        }
        assert!(answered.iter().all(|token| token.keep_on()));
        assert!(shutdown.keep_on());
    });
}

#[test]
fn a_call_that_a_token_ends_resets_its_stream_and_no_other() {
    run("calls that a token ends", async || {
        let (mut sender, mut tokens) = connect(&TokenLayer::new(SimpleToken::new())).await;
        let client = PropagateLayer::new().layer(service_fn({
            let sender = sender.clone();
            move |request| sender.clone().send_request(request)
        }));
        for path in ["/never", "/stream"] {
            let (ours, other) = (SimpleToken::new(), SimpleToken::new());
            let call = |token: &SimpleToken| {
                let call = client.clone().oneshot(get(path).with_token(token));
                tokio::spawn(async { call.await?.into_body().collect().await })
            };
            let (first, second) = (call(&ours), call(&other));
            let (_, first_token) = tokens.recv().await.unwrap();
            let (_, second_token) = tokens.recv().await.unwrap();
            // Which one is which shows when one of them ends.
            ours.cancel_with("enough");
            let error = first.await.unwrap().unwrap_err();
            assert!(cancellation(&error).unwrap().is_from(&ours));
            let both = &first_token + &second_token;
            both.cancelled().await;
            round_trip(&mut sender, &mut tokens).await;
            let gone = [&first_token, &second_token].map(|token| token.is_cancelled());
            assert_eq!(gone.iter().filter(|&&gone| gone).count(), 1);
            assert!(!second.is_finished());
            second.abort();
        }
    });
}
