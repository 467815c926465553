//! What the layer costs a request that does nothing: a call of the service alone, and requests over a connection in
//! memory with hyper as the server and the client, all on one thread. Prints the least and the median time of a request.
//!
//! `cargo bench -p cantok-tower --bench turns`; `loopback.rs` measures the same over the network.

#[path = "support/by_hand.rs"]
mod by_hand;
#[path = "support/server.rs"]
mod server;
#[path = "../../cantok-core/benches/support/turns.rs"]
mod turns;

use by_hand::by_hand;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use server::{layers, nothing};
use std::convert::Infallible;
use std::fmt::Debug;
use std::time::{Duration, Instant};
use tokio::io::duplex;
use tokio::runtime::{Builder, Runtime};
use tower::{Layer as _, Service, ServiceExt as _, service_fn};
use turns::{is_test, take_turns};

const BY_HAND: [(&str, bool); 2] = [("by hand", false), ("by hand, with a timeout", true)];

type Turn = Box<dyn Fn() -> Duration>;

fn requests(number: u64) -> u64 {
    if is_test() { 1 } else { number }
}

fn runtime() -> Runtime {
    let mut builder = Builder::new_current_thread();
    builder.enable_all().build().expect("a runtime")
}

/// Calls without a connection.
fn calls<S, B>(service: S, number: u64) -> Turn
where
    S: Service<Request<Empty<Bytes>>, Response = Response<B>> + Clone + 'static,
    S::Error: Debug,
    B: http_body::Body,
    B::Error: Debug,
{
    let runtime = runtime();
    Box::new(move || {
        let begin = Instant::now();
        runtime.block_on(async {
            for _ in 0..number {
                let response = service.clone().oneshot(Request::new(Empty::new()));
                response.await.unwrap().into_body().collect().await.unwrap();
            }
        });
        begin.elapsed()
    })
}

/// Requests over one connection in memory, one after the other.
fn over<S, B>(service: S, is_http2: bool, number: u64) -> Turn
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
    S: Clone + Send + 'static,
    S::Future: Send,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let runtime = runtime();
    Box::new(move || {
        let (client, server) = duplex(64 * 1024);
        let (client, server) = (TokioIo::new(client), TokioIo::new(server));
        let service = TowerToHyperService::new(service.clone());
        let get = || {
            let request = Request::get("http://localhost/").header("host", "localhost");
            request.body(Empty::<Bytes>::new()).expect("a request")
        };
        runtime.block_on(async {
            if is_http2 {
                let connection = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                tokio::spawn(connection.serve_connection(server, service));
                let handshake = http2::handshake(TokioExecutor::new(), client).await;
                let (mut sender, connection) = handshake.unwrap();
                tokio::spawn(connection);
                let begin = Instant::now();
                for _ in 0..number {
                    let response = sender.send_request(get()).await.unwrap();
                    response.into_body().collect().await.unwrap();
                }
                begin.elapsed()
            } else {
                let connection = hyper::server::conn::http1::Builder::new();
                tokio::spawn(connection.serve_connection(server, service));
                let (mut sender, connection) = http1::handshake(client).await.unwrap();
                tokio::spawn(connection);
                let begin = Instant::now();
                for _ in 0..number {
                    let response = sender.send_request(get()).await.unwrap();
                    response.into_body().collect().await.unwrap();
                }
                begin.elapsed()
            }
        })
    })
}

fn main() {
    let number = requests(10_000);
    let none = service_fn(nothing::<Empty<Bytes>>);
    let mut contenders: Vec<(&str, Turn)> = vec![("none", calls(none, number))];
    for (name, layer) in layers() {
        contenders.push((name, calls(layer.layer(none), number)));
    }
    for (name, has_timeout) in BY_HAND {
        contenders.push((name, calls(by_hand(has_timeout), number)));
    }
    take_turns("a call of the service", number, &contenders, 3);

    let number = requests(500);
    for (group, is_http2) in [("HTTP/1 in memory", false), ("HTTP/2 in memory", true)] {
        let none = service_fn(nothing::<Incoming>);
        let mut contenders: Vec<(&str, Turn)> = vec![("none", over(none, is_http2, number))];
        for (name, layer) in layers() {
            contenders.push((name, over(layer.layer(none), is_http2, number)));
        }
        for (name, has_timeout) in BY_HAND {
            contenders.push((name, over(by_hand(has_timeout), is_http2, number)));
        }
        take_turns(group, number, &contenders, 10);
    }
}
