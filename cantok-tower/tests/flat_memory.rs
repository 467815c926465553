//! A server that lives long does not grow, however its requests end.
//!
//! `CANTOK_SOAK=1000000 cargo test --release -p cantok-tower --test flat_memory` sends a million requests of each kind.
#![cfg(target_os = "linux")]

mod support;

use crate::support::server::{Protocol, Tokens, serve};
use bytes::Bytes;
use cantok_core::SimpleToken;
use cantok_testkit::memory::resident_bytes;
use cantok_testkit::watchdog;
use cantok_tower::TokenLayer;
use http::Request;
use http_body_util::{BodyExt as _, Empty};
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::env;
use std::time::Duration;
use tokio::runtime::Builder;

/// What the process may grow by: 10,000 rounds that leave 420 bytes each behind exceed it.
const LIMIT: usize = 4 * 1024 * 1024;

struct Client {
    sender: SendRequest<Empty<Bytes>>,
    tokens: Tokens,
}

impl Client {
    async fn connect(layer: &TokenLayer) -> Self {
        let (client, tokens) = serve(layer, Protocol::Http2);
        let handshake = http2::handshake(TokioExecutor::new(), TokioIo::new(client)).await;
        let (sender, connection) = handshake.unwrap();
        tokio::spawn(connection);
        Client { sender, tokens }
    }

    /// A request that is answered, one that is reset before and one after the head of its response.
    async fn round(&mut self) {
        for path in ["/", "/never", "/stream"] {
            let uri = format!("http://localhost{path}");
            let request = Request::get(uri).header("x-request-timeout", "60");
            let request = request.body(Empty::new()).unwrap();
            let response = self.sender.send_request(request);
            match path {
                "/" => drop(response.await.unwrap().into_body().collect().await.unwrap()),
                "/stream" => drop(response.await.unwrap().into_body().frame().await.unwrap()),
                _ => {
                    let response = tokio::spawn(response);
                    let (_, token) = self.tokens.recv().await.unwrap();
                    response.abort();
                    token.cancelled().await;
                    continue;
                }
            }
            let (_, token) = self.tokens.recv().await.unwrap();
            if path == "/stream" {
                token.cancelled().await;
            }
        }
    }
}

fn rounds() -> usize {
    let rounds = env::var("CANTOK_SOAK").ok();
    rounds.map_or(10_000, |rounds| {
        rounds.parse().expect("a number of requests")
    })
}

#[test]
fn requests_that_end_in_every_way_leave_nothing_behind() {
    let soak = move || {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let shutdown = SimpleToken::new();
            let layer = TokenLayer::new(&shutdown).timeout(Duration::from_secs(3600));
            let mut client = Client::connect(&layer).await;
            for _ in 0..rounds() / 4 {
                client.round().await;
            }
            let before = resident_bytes().expect("/proc/self/statm");
            for _ in 0..rounds() {
                client.round().await;
            }
            let after = resident_bytes().expect("/proc/self/statm");
            let grown = after.saturating_sub(before);
            println!("{} requests: {before} bytes, then {after}", 3 * rounds());
            assert!(grown <= LIMIT, "{grown} bytes in {} rounds", rounds());
            assert!(shutdown.keep_on());
        });
    };
    match rounds() {
        // No watchdog for what takes as long as its user wants.
        rounds if rounds > 10_000 => soak(),
        _ => watchdog("a soak", soak),
    }
}
