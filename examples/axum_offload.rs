//! An HTTP server that counts primes on all cores. The work behind a request stops when the client hangs up, when its
//! time is over, and on Ctrl-C. `/stats` shows that it has stopped.
//!
//! ```text
//! axum_offload --port 3000
//!
//! curl 'localhost:3000/primes?below=100000'               # 9592
//! curl 'localhost:3000/largest?below=1000000'             # 999983
//! # takes days, but has a second
//! curl -H 'x-request-timeout: 1' 'localhost:3000/primes?below=1000000000000'
//! curl -m 2 'localhost:3000/primes?below=1000000000000'   # curl hangs up after two seconds
//! curl localhost:3000/stats                               # nothing is under way, and `steps` grows no more
//! ```
//!
//! Press Ctrl-C during a request: the client gets an answer, the work behind it stops, and so does the program.

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use std::{fmt, ops::Range};

use axum::Router;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::routing::get;
use cantok_core::{CancellationError, Cause, Token};
use cantok_rayon::prelude::*;
use cantok_tokio::{spawn_blocking_with_token, spawn_rayon_with_token};
use cantok_tower::{ClientGone, RequestToken, Stopped, TokenLayer};
use clap::Parser;
use rayon::prelude::*;
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::time::sleep;
use tokio_util::task::TaskTracker;

/// A stop waits for the current item, and up to here an item takes a second or two at most.
const HIGHEST: u64 = 1_000_000_000_000_000;

/// Counts primes over HTTP. Ctrl-C stops all work, answers the waiting requests, and ends.
///
/// Exit status: 2 for wrong arguments or an address that is not available. Stopped by SIGINT (Ctrl-C), SIGTERM or
/// SIGHUP, it ends by that signal: 130, 143 or 129 in a shell.
#[derive(Parser)]
struct Arguments {
    /// The port on 127.0.0.1; 0 picks a free one.
    #[arg(long, default_value_t = 3000)]
    port: u16,
    /// The limit for each request.
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    timeout: Duration,
    /// How long to wait for slow clients after a stop.
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = seconds)]
    grace: Duration,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number")?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

/// `eprintln!` would panic once the terminal is gone, as after SIGHUP.
fn say(text: impl fmt::Display) {
    let _ = writeln!(io::stderr(), "{text}");
}

struct Server {
    /// Holds a place for each piece of work until that is over, even if nothing waits for it any more.
    under_way: TaskTracker,
    counters: Counters,
}

/// Each request ends in one of the middle four. They publish nothing, so relaxed accesses are enough.
#[derive(Default)]
struct Counters {
    requests: AtomicU64,
    finished: AtomicU64,
    disconnected: AtomicU64,
    timed_out: AtomicU64,
    shut_down: AtomicU64,
    /// Work that has begun.
    started: AtomicU64,
    /// Numbers that the work has begun.
    steps: AtomicU64,
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// Counts how a request has ended: its token knows.
struct Request {
    token: RequestToken,
    server: Arc<Server>,
}

impl Request {
    fn new(token: RequestToken, server: Arc<Server>) -> Self {
        count(&server.counters.requests);
        Request { token, server }
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        let counters = &self.server.counters;
        count(match self.token.cancellation() {
            None => &counters.finished,
            Some(error) if error.reason::<ClientGone>().is_some() => &counters.disconnected,
            Some(error) if matches!(error.cause(), Cause::Timeout { .. }) => &counters.timed_out,
            Some(_) => &counters.shut_down,
        });
    }
}

#[derive(Deserialize)]
struct Numbers {
    #[serde(default)]
    from: u64,
    below: u64,
}

impl Numbers {
    fn range(&self) -> Result<Range<u64>, Answer> {
        if self.below > HIGHEST {
            return Err((StatusCode::BAD_REQUEST, format!("not above {HIGHEST}\n")));
        }
        Ok(self.from..self.below)
    }
}

fn is_prime(number: u64) -> bool {
    let mut factors = (2..).take_while(|factor| factor * factor <= number);
    number > 1 && factors.all(|factor| number % factor != 0)
}

/// Checks the token once for each number. Independent of HTTP.
fn count_primes(
    numbers: Range<u64>,
    token: &Token,
    steps: &AtomicU64,
) -> Result<u64, CancellationError> {
    let numbers = numbers.into_par_iter().try_with_token(token);
    let primes = numbers.map(|number| {
        let number = number?;
        count(steps);
        Ok(u64::from(is_prime(number)))
    });
    primes.try_reduce(|| 0, |some, others| Ok(some + others))
}

/// The first one from above, on one thread.
fn largest_prime(
    numbers: Range<u64>,
    token: &Token,
    steps: &AtomicU64,
) -> Result<Option<u64>, CancellationError> {
    for number in numbers.rev() {
        token.check()?;
        count(steps);
        if is_prime(number) {
            return Ok(Some(number));
        }
    }
    Ok(None)
}

type Answer = (StatusCode, String);

/// If the token ends the request, the layer answers, and this is dropped. Then the work's own token is cancelled, too.
async fn primes(
    token: RequestToken,
    State(server): State<Arc<Server>>,
    Query(numbers): Query<Numbers>,
) -> Result<String, Answer> {
    let numbers = numbers.range()?;
    let _request = Request::new(token.clone(), Arc::clone(&server));
    let under_way = server.under_way.token();
    let work = spawn_rayon_with_token(&token, move |token| {
        let _under_way = under_way;
        count(&server.counters.started);
        count_primes(numbers, &token, &server.counters.steps)
    });
    work.await
        .map(|primes| format!("{primes}\n"))
        .map_err(stopped)
}

/// The same for work on a thread of its own.
async fn largest(
    token: RequestToken,
    State(server): State<Arc<Server>>,
    Query(numbers): Query<Numbers>,
) -> Result<String, Answer> {
    let numbers = numbers.range()?;
    let _request = Request::new(token.clone(), Arc::clone(&server));
    let under_way = server.under_way.token();
    let work = spawn_blocking_with_token(&token, move |token| {
        let _under_way = under_way;
        count(&server.counters.started);
        largest_prime(numbers, &token, &server.counters.steps)
    });
    match work.await.expect("no panic in the work").map_err(stopped)? {
        Some(prime) => Ok(format!("{prime}\n")),
        None => Err((StatusCode::NOT_FOUND, "none\n".to_owned())),
    }
}

/// For work that sees the cancel before the layer does.
fn stopped(error: CancellationError) -> Answer {
    (StatusCode::SERVICE_UNAVAILABLE, format!("{error}\n"))
}

async fn stats(State(server): State<Arc<Server>>) -> String {
    server.stats()
}

impl Server {
    /// Steps come last: once no work is running, they are final.
    fn stats(&self) -> String {
        let counters = &self.counters;
        let count =
            |name, counter: &AtomicU64| format!("{name} {}\n", counter.load(Ordering::Relaxed));
        [
            count("requests", &counters.requests),
            count("finished", &counters.finished),
            count("disconnected", &counters.disconnected),
            count("timed_out", &counters.timed_out),
            count("shut_down", &counters.shut_down),
            count("started", &counters.started),
            format!("under_way {}\n", self.under_way.len()),
            count("steps", &counters.steps),
        ]
        .concat()
    }
}

/// Returns the token's error once it is cancelled and all work is over.
async fn serve(arguments: &Arguments, shutdown: &Token) -> io::Result<()> {
    let server = Arc::new(Server {
        under_way: TaskTracker::new(),
        counters: Counters::default(),
    });
    let layer = TokenLayer::new(shutdown)
        .timeout(arguments.timeout)
        .on_cancelled(|stopped: &Stopped| {
            let mut response = stopped.text_response::<Body>();
            if stopped.cancellation().is_some() {
                *response.body_mut() = Body::from(format!("stopped: {stopped}\n"));
            }
            response
        });
    let router = Router::new()
        .route("/primes", get(primes))
        .route("/largest", get(largest))
        .layer(layer)
        .route("/stats", get(stats))
        .with_state(Arc::clone(&server));
    let listener = TcpListener::bind(("127.0.0.1", arguments.port)).await?;
    println!("listening on http://{}", listener.local_addr()?);

    let cancelled = shutdown.cancelled_owned();
    let stop = async {
        let error = cancelled.await;
        say(format_args!("{error}; Ctrl-C again ends at once"));
    };
    let late = async {
        shutdown.cancelled().await;
        sleep(arguments.grace).await;
    };
    tokio::select! {
        served = axum::serve(listener, router).with_graceful_shutdown(stop) => served?,
        () = late => say("not all clients have taken their leave"),
    }
    // Some work may outlive its client.
    server.under_way.close();
    server.under_way.wait().await;
    // The same Ctrl-C may have ended the reader of this output.
    let _ = io::stdout().write_all(server.stats().as_bytes());
    Ok(shutdown.check()?)
}

/// Does not return after a signal: it drops everything in the server, then ends the process by the signal.
fn run(arguments: &Arguments) -> io::Result<()> {
    let token = cantok_signal::SignalToken::termination()?.named("shutdown");
    token.run(|token| Runtime::new()?.block_on(serve(arguments, token)))
}

fn main() -> ExitCode {
    if let Err(error) = run(&Arguments::parse()) {
        say(error);
        return ExitCode::from(2);
    }
    ExitCode::SUCCESS
}
