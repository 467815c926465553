//! A server of hyper's behind the layer, and connections to it in memory.

use super::service::{Body, answer, token_of};
use bytes::Bytes;
use cantok_core::Token;
use cantok_tower::TokenLayer;
use futures::StreamExt as _;
use http::{Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use std::convert::Infallible;
use std::future::pending;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tower::{Layer as _, service_fn};

/// The paths of the requests that have come, and their tokens.
pub(crate) type Tokens = UnboundedReceiver<(String, Token)>;

#[derive(Clone, Copy)]
pub(crate) enum Protocol {
    Http1,
    Http2,
}

/// Answers by the path: `/never` never, `/stream` with a body without an end, `/upgrade` with another protocol that
/// echoes, everything else at once.
async fn handle(
    request: Request<Incoming>,
    tokens: UnboundedSender<(String, Token)>,
) -> Result<Response<Body>, Infallible> {
    let path = request.uri().path().to_owned();
    tokens.send((path.clone(), token_of(&request))).unwrap();
    if path.starts_with("/never") {
        return pending().await;
    }
    if path.starts_with("/stream") {
        let first = Ok(Frame::data(Bytes::from("first")));
        let stream = futures::stream::once(async { first }).chain(futures::stream::pending());
        return Ok(Response::new(StreamBody::new(stream).boxed_unsync()));
    }
    if path.starts_with("/upgrade") {
        tokio::spawn(async {
            let upgraded = hyper::upgrade::on(request).await.unwrap();
            let (mut reader, mut writer) = tokio::io::split(TokioIo::new(upgraded));
            let _ = tokio::io::copy(&mut reader, &mut writer).await;
            let _ = writer.shutdown().await;
        });
        let mut response = answer("");
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert("connection", "upgrade".parse().unwrap());
        headers.insert("upgrade", "echo".parse().unwrap());
        return Ok(response);
    }
    Ok(answer("text"))
}

/// Serves one connection. Returns its other end, and what comes over it.
pub(crate) fn serve(layer: &TokenLayer, protocol: Protocol) -> (DuplexStream, Tokens) {
    let (client, server) = duplex(64 * 1024);
    let (sender, tokens) = unbounded_channel();
    let service = layer.layer(service_fn(move |request| handle(request, sender.clone())));
    let service = TowerToHyperService::new(service);
    let server = TokioIo::new(server);
    tokio::spawn(async move {
        // An error: the client has gone.
        let _ = match protocol {
            Protocol::Http1 => {
                let connection = http1::Builder::new().serve_connection(server, service);
                connection.with_upgrades().await
            }
            Protocol::Http2 => {
                let mut builder = http2::Builder::new(TokioExecutor::new());
                builder.max_concurrent_streams(2_000);
                builder.serve_connection(server, service).await
            }
        };
    });
    (client, tokens)
}

/// Reads until what was read ends so.
pub(crate) async fn read_until(stream: &mut DuplexStream, end: &str) -> String {
    let mut read = Vec::new();
    while !read.ends_with(end.as_bytes()) {
        read.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(read).unwrap()
}
