//! The example `axum_offload` stops the work behind a request when its client hangs up, when its time is over and when
//! the program is to end. Without such a stop, each request here takes longer than the tests wait.

use std::collections::HashMap;
use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use crate::service::Service;
use crate::support::{command, soon};
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::http::request::Builder;
use hyper::{Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::runtime;
use tokio::time::sleep;

/// Takes days.
const ENDLESS: &str = "/primes?below=1000000000000";

fn server(arguments: &[&str]) -> Service {
    Service::start("axum_offload", arguments)
}

/// What the future returns, which a client makes.
fn talk<F>(server: &Service, f: impl FnOnce(Client) -> F + Send + 'static) -> F::Output
where
    F: Future<Output: Send + 'static>,
{
    let client = Client(server.address());
    soon("answers", move || {
        let runtime = runtime::Builder::new_current_thread().enable_all().build();
        runtime.unwrap().block_on(f(client))
    })
}

/// Its counters by their names.
type Stats = HashMap<String, u64>;

fn stats(text: &str) -> Stats {
    let counters = text.lines().map(|line| line.split_once(' ').unwrap());
    counters
        .map(|(name, value)| (name.to_owned(), value.parse().unwrap()))
        .collect()
}

#[derive(Clone, Copy)]
struct Client(SocketAddr);

impl Client {
    /// The status and the body of what is answered on a new connection, which is closed when this is dropped.
    async fn get(self, path: &str) -> (StatusCode, String) {
        self.send(Request::get(path)).await
    }

    /// The same with so many seconds for it, as a header.
    async fn get_within(self, path: &str, seconds: &str) -> (StatusCode, String) {
        self.send(Request::get(path).header("x-request-timeout", seconds))
            .await
    }

    async fn send(self, request: Builder) -> (StatusCode, String) {
        let stream = TcpStream::connect(self.0).await.unwrap();
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        let request = request
            .header(header::HOST, "localhost")
            .body(Empty::<Bytes>::new())
            .unwrap();
        let answer = async move {
            let response = sender.send_request(request).await.unwrap();
            let status = response.status();
            let body = response.into_body().collect().await.unwrap().to_bytes();
            (status, String::from_utf8(body.into()).unwrap())
        };
        let (answer, ended) = tokio::join!(answer, connection);
        ended.unwrap();
        answer
    }

    async fn stats(self) -> Stats {
        let (status, text) = self.get("/stats").await;
        assert_eq!(status, StatusCode::OK, "{text}");
        stats(&text)
    }

    /// Asks for the counters until they are as wanted.
    async fn until(self, wanted: impl Fn(&Stats) -> bool) -> Stats {
        loop {
            let stats = self.stats().await;
            if wanted(&stats) {
                return stats;
            }
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// Asks for something, and hangs up when the work for it, and no other, is under way.
    async fn hang_up(self, path: &str) {
        let steps = self.stats().await["steps"];
        let at_work = |stats: &Stats| stats["under_way"] == 1 && stats["steps"] > steps;
        tokio::select! {
            answer = self.get(path) => panic!("answered: {answer:?}"),
            _ = self.until(at_work) => {}
        }
    }

    /// Shows that nothing goes on in the background: another request's steps are all that come.
    async fn assert_quiet(self) {
        let before = self.until(|stats| stats["under_way"] == 0).await;
        self.get("/primes?below=1000").await;
        let after = self.stats().await;
        assert_eq!(after["steps"], before["steps"] + 1_000);
        assert_eq!(after["started"], before["started"] + 1);
        assert_eq!(after["under_way"], 0);
    }
}

/// By the sieve of Eratosthenes.
fn primes(from: usize, below: usize) -> usize {
    let mut is_prime = vec![true; below];
    for number in 2..below {
        if is_prime[number] {
            let multiples = (2 * number..below).step_by(number);
            multiples.for_each(|multiple| is_prime[multiple] = false);
        }
    }
    (from.max(2)..below)
        .filter(|&number| is_prime[number])
        .count()
}

#[test]
fn a_request_is_answered_when_its_work_is_done() {
    let server = server(&[]);
    talk(&server, |client| async move {
        let mut steps = 0;
        for (from, below) in [(0, 0), (0, 1_000), (500, 20_000), (7, 8), (9, 7)] {
            let (status, text) = client
                .get(&format!("/primes?from={from}&below={below}"))
                .await;
            assert_eq!(status, StatusCode::OK, "{text}");
            assert_eq!(text, format!("{}\n", primes(from, below)));
            steps += below.saturating_sub(from) as u64;
        }
        let stats = client.stats().await;
        for name in ["requests", "finished", "started"] {
            assert_eq!(stats[name], 5, "{stats:?}");
        }
        for name in ["disconnected", "timed_out", "shut_down", "under_way"] {
            assert_eq!(stats[name], 0, "{stats:?}");
        }
        assert_eq!(stats["steps"], steps);
    });
}

#[test]
fn malformed_requests_are_refused() {
    let server = server(&[]);
    talk(&server, |client| async move {
        for query in ["", "below=x", "below=1000000000000001"] {
            let (status, text) = client.get(&format!("/primes?{query}")).await;
            assert_eq!(status, StatusCode::BAD_REQUEST, "{query}: {text}");
        }
        for seconds in ["x", "-1"] {
            let (status, text) = client.get_within("/primes?below=10", seconds).await;
            assert_eq!(status, StatusCode::BAD_REQUEST, "{seconds}: {text}");
        }
        let stats = client.stats().await;
        assert!(stats.values().all(|&count| count == 0), "{stats:?}");
    });
}

#[test]
fn the_work_stops_when_the_client_hangs_up() {
    let server = server(&[]);
    talk(&server, |client| async move {
        for times in 1..=3 {
            client.hang_up(ENDLESS).await;
            client
                .until(|stats| stats["under_way"] == 0 && stats["disconnected"] == times)
                .await;
            client.assert_quiet().await;
        }
        let stats = client.stats().await;
        assert_eq!([stats["requests"], stats["started"]], [6, 6]);
        assert_eq!([stats["finished"], stats["disconnected"]], [3, 3]);
    });
}

#[test]
fn the_work_stops_when_its_time_is_over() {
    let server = server(&[]);
    talk(&server, |client| async move {
        for (seconds, shown) in [("0.02", "20ms"), ("0.05", "50ms")] {
            let (status, text) = client.get_within(ENDLESS, seconds).await;
            assert_eq!(status, StatusCode::GATEWAY_TIMEOUT, "{text}");
            assert_eq!(
                text,
                format!("stopped: the timeout of {shown} has expired\n")
            );
            client.assert_quiet().await;
        }
        let stats = client.stats().await;
        assert_eq!([stats["requests"], stats["timed_out"]], [4, 2]);
        assert_eq!(stats["disconnected"], 0);
    });
}

#[test]
fn the_largest_prime_is_found_on_one_thread() {
    let server = server(&[]);
    talk(&server, |client| async move {
        let (status, text) = client.get("/largest?below=1000000").await;
        assert_eq!((status, &text[..]), (StatusCode::OK, "999983\n"));
        let (status, _) = client.get("/largest?from=8&below=11").await;
        assert_eq!(status, StatusCode::NOT_FOUND);
    });
}

#[test]
fn no_request_takes_longer_than_the_server_lets_it() {
    let server = server(&["--timeout", "0.05"]);
    talk(&server, |client| async move {
        for seconds in ["60", "1000"] {
            let (status, text) = client.get_within(ENDLESS, seconds).await;
            assert_eq!(status, StatusCode::GATEWAY_TIMEOUT, "{text}");
            assert_eq!(text, "stopped: the timeout of 50ms has expired\n");
        }
        client.assert_quiet().await;
    });
}

#[test]
fn an_answer_does_not_wait_for_the_work_of_others() {
    let server = server(&[]);
    talk(&server, |client| async move {
        let waiting = async {
            client.until(|stats| stats["steps"] > 0).await;
            // All threads are busy, with what has no end.
            let (status, text) = client.get_within(ENDLESS, "0.05").await;
            assert_eq!(status, StatusCode::GATEWAY_TIMEOUT, "{text}");
        };
        tokio::select! {
            answer = client.get(ENDLESS) => panic!("answered: {answer:?}"),
            () = waiting => {}
        }
        client.assert_quiet().await;
    });
}

#[test]
fn an_address_that_is_taken_is_an_error() {
    let server = server(&[]);
    let port = server.address().port().to_string();
    let mut another = command("axum_offload", &["--port", &port]);
    let output = soon("the end", move || another.output().unwrap());
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(output.stdout, b"");
    assert_ne!(output.stderr, b"");
}

#[cfg(unix)]
mod signals {
    use super::*;

    use std::io::Write;
    use std::net;
    use std::os::unix::process::ExitStatusExt;

    use crate::support::is_ignored;
    use rustix::process::Signal;

    #[test]
    fn requests_under_way_are_stopped_and_answered() {
        for (signal, name) in [
            (Signal::TERM, "SIGTERM"),
            (Signal::INT, "SIGINT"),
            (Signal::HUP, "SIGHUP"),
        ] {
            if is_ignored(signal) {
                continue;
            }
            let server = server(&["--grace", "100000"]);
            let send = server.sender();
            talk(&server, move |client| async move {
                let signalled = async {
                    client
                        .until(|stats| stats["requests"] == 3 && stats["steps"] > 0)
                        .await;
                    send(signal);
                };
                let ask = || client.get(ENDLESS);
                let (first, second, third, ()) = tokio::join!(ask(), ask(), ask(), signalled);
                for (status, text) in [first, second, third] {
                    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{text}");
                    assert_eq!(text, format!("stopped: shutdown: cancelled: {name}\n"));
                }
            });
            let (status, printed, reported) = server.end();
            assert_eq!(status.signal(), Some(signal.as_raw()), "{reported}");
            let stats = stats(&printed);
            assert_eq!([stats["requests"], stats["shut_down"]], [3, 3]);
            assert_eq!(stats["under_way"], 0);
        }
    }

    #[test]
    fn work_whose_client_has_left_is_waited_for() {
        if is_ignored(Signal::TERM) {
            return;
        }
        let server = server(&[]);
        let send = server.sender();
        talk(&server, move |client| async move {
            // Some 30 of these take half a second or more each, in which the work does not ask its token.
            let long = "/primes?from=999999999999000&below=1000000000000000";
            client.hang_up(long).await;
            client.until(|stats| stats["disconnected"] == 1).await;
            send(Signal::TERM);
        });
        let (status, printed, reported) = server.end();
        assert_eq!(status.signal(), Some(Signal::TERM.as_raw()), "{reported}");
        let stats = stats(&printed);
        assert_eq!([stats["started"], stats["disconnected"]], [1, 1]);
        assert_eq!(stats["under_way"], 0);
    }

    /// Half a request, on a connection that stays open.
    fn half_a_request(server: &Service) -> net::TcpStream {
        let mut stream = net::TcpStream::connect(server.address()).unwrap();
        stream.write_all(b"GET /sta").unwrap();
        // By the time that this is answered, the other has most probably been read.
        talk(server, |client| client.stats());
        stream
    }

    #[test]
    fn a_client_that_is_slow_is_not_waited_for_longer_than_the_grace_period() {
        if is_ignored(Signal::TERM) {
            return;
        }
        let server = server(&["--grace", "0"]);
        let _open = half_a_request(&server);
        server.sender()(Signal::TERM);
        let (status, printed, reported) = server.end();
        assert_eq!(status.signal(), Some(Signal::TERM.as_raw()), "{reported}");
        assert_eq!(stats(&printed)["requests"], 0);
    }

    #[test]
    fn it_ends_at_once_when_pressed_again() {
        if is_ignored(Signal::INT) {
            return;
        }
        let mut server = server(&["--grace", "100000"]);
        let _open = half_a_request(&server);
        server.sender()(Signal::INT);
        server.until_reported("Ctrl-C again");
        server.sender()(Signal::INT);
        let (status, _, reported) = server.end();
        assert_eq!(status.signal(), Some(Signal::INT.as_raw()), "{reported}");
    }
}
