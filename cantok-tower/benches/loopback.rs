//! What the layer costs a request that does nothing, over loopback. The client is `wrk`, which has to be installed:
//! `cargo bench -p cantok-tower --bench loopback`. Prints the requests per second of each server, and the ratios.
//!
//! The server has a thread, and so has the client. They take turns of a second each.

#[path = "support/by_hand.rs"]
mod by_hand;
#[path = "support/server.rs"]
mod server;

use by_hand::by_hand;
use bytes::Bytes;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use server::{layers, nothing};
use std::convert::Infallible;
use std::net::{SocketAddr, TcpListener};
use std::process::Command;
use std::{env, thread};
use tokio::runtime::Builder;
use tower::{Layer as _, Service, service_fn};

/// Serves on a thread of its own for the rest of the program.
fn serve<S, B>(service: S) -> SocketAddr
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
    S: Clone + Send + 'static,
    S::Future: Send,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("a listener");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        let runtime = Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
            while let Ok((stream, _)) = listener.accept().await {
                let service = TowerToHyperService::new(service.clone());
                let connection = http1::Builder::new();
                let connection = connection.serve_connection(TokioIo::new(stream), service);
                // An error: the client has gone.
                tokio::spawn(async { drop(connection.await) });
            }
        });
    });
    address
}

/// The requests per second that wrk counts.
fn wrk(address: SocketAddr, seconds: u32) -> Option<f64> {
    let output = Command::new("wrk")
        .args([
            "-t1",
            "-c16",
            &format!("-d{seconds}s"),
            &format!("http://{address}/"),
        ])
        .output()
        .ok()?;
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = printed
        .lines()
        .find_map(|line| line.strip_prefix("Requests/sec:"));
    line?.trim().parse().ok()
}

fn main() {
    let mut servers = vec![("none", serve(service_fn(nothing::<Incoming>)))];
    for (name, layer) in layers() {
        servers.push((name, serve(layer.layer(service_fn(nothing::<Incoming>)))));
    }
    servers.push(("by hand", serve(by_hand(false))));
    servers.push(("by hand, with a timeout", serve(by_hand(true))));
    let rounds = if env::args().any(|argument| argument == "--test") {
        1
    } else {
        15
    };
    let mut rates = vec![Vec::new(); servers.len()];
    for round in 0..rounds {
        for turn in 0..servers.len() {
            let turn = (turn + round) % servers.len();
            let Some(rate) = wrk(servers[turn].1, 1) else {
                println!("wrk is not installed: nothing is measured");
                return;
            };
            rates[turn].push(rate);
        }
    }
    println!(
        "\nrequests per second over loopback, wrk -t1 -c16       most       median   and how much slower"
    );
    let summary = |rates: &mut Vec<f64>| {
        rates.sort_unstable_by(f64::total_cmp);
        (rates[rates.len() - 1], rates[rates.len() / 2])
    };
    let (most_of_first, median_of_first) = summary(&mut rates[0]);
    for ((name, _), rates) in servers.iter().zip(&mut rates) {
        let (most, median) = summary(rates);
        println!(
            "    {name:46} {most:10.0} {median:12.0} {:>8.3} {:>6.3}",
            most_of_first / most,
            median_of_first / median
        );
    }
}
