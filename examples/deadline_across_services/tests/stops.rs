//! Work in the second service stops when the client of the first gives up, when its deadline passes, and when the first
//! service is stopped. The counters of the second service show it. Without such a stop, the work takes days.
#![cfg(unix)]

use std::future::Future;
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use cantok_core::{SimpleToken, TimeoutToken, Token};
use cantok_tower::cancellation;
use cantok_tower::prelude::*;
use deadline_across_services::messages::{Ask, Counted, Range, Stats};
use deadline_across_services::net::{Client, client};
use rustix::process::{Pid, Signal, kill_process};
use tokio::runtime::Builder;
use tokio::task::JoinHandle;
use tonic::{Code, Request, Status};

/// A request that takes days.
const ENDLESS: Range = Range {
    from: 0,
    below: 1_000_000_000_000,
};

/// Returns the closure's result, and panics if it takes too long.
fn soon<T: Send + 'static>(what: &str, f: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || sender.send(f()));
    let returned = receiver.recv_timeout(Duration::from_secs(300));
    returned.unwrap_or_else(|error| panic!("{what}: {error} (300 s)"))
}

/// A service in a process of its own. Dropping this ends it.
struct Service {
    process: Option<Child>,
    address: String,
}

impl Service {
    fn start(arguments: &[&str]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_deadline_across_services"))
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let printed = process.stdout.take().unwrap();
        let mut service = Service {
            process: Some(process),
            address: String::new(),
        };
        let line = soon("an address", || BufReader::new(printed).lines().next());
        let line = line.unwrap().unwrap();
        service.address = line.strip_prefix("listening on ").unwrap().to_owned();
        service
    }

    /// Returns a closure that sends SIGTERM.
    fn terminator(&self) -> impl FnOnce() + Send + use<> {
        let id = Pid::from_child(self.process.as_ref().unwrap());
        move || kill_process(id, Signal::TERM).unwrap()
    }

    /// Waits for the end. Returns the signal that has ended the service.
    fn end(mut self) -> Option<i32> {
        let mut process = self.process.take().unwrap();
        soon("the end", move || process.wait()).unwrap().signal()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            // An error means that the process has already ended.
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// Both services.
struct Services {
    front: Service,
    back: Service,
}

impl Services {
    fn start() -> Self {
        let back = Service::start(&["back"]);
        let front = Service::start(&["front", "--back", &back.address]);
        Services { front, back }
    }

    /// Runs a client of both services.
    fn talk<F>(&self, f: impl FnOnce(Client, Back) -> F + Send + 'static) -> F::Output
    where
        F: Future<Output: Send + 'static>,
    {
        let (front, back) = (self.front.address.clone(), self.back.address.clone());
        soon("answers", move || {
            let runtime = Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async {
                let back = Back(client(&back).unwrap());
                f(client(&front).unwrap(), back).await
            })
        })
    }
}

/// A client that reads the counters of the second service.
struct Back(Client);

impl Back {
    async fn stats(&mut self) -> Stats {
        self.0.stats(Ask {}).await.unwrap().into_inner()
    }

    /// Returns once work is under way.
    async fn begun(&mut self) {
        loop {
            let stats = self.stats().await;
            if stats.under_way == 1 && stats.steps > 0 {
                return;
            }
        }
    }

    /// Returns the counters once all work has stopped, so that no more numbers are tested.
    async fn stopped(&mut self, by: impl Fn(&Stats) -> u64) -> Stats {
        loop {
            let stats = self.stats().await;
            if stats.under_way == 0 && by(&stats) == 1 {
                assert_eq!(self.stats().await, stats);
                return stats;
            }
        }
    }
}

/// Starts a call in a task.
fn call(client: &Client, request: Request<Range>) -> JoinHandle<Result<Counted, Status>> {
    let mut client = client.clone();
    tokio::spawn(async move { Ok(client.count(request).await?.into_inner()) })
}

fn endless(token: impl Into<Token>) -> Request<Range> {
    Request::new(ENDLESS).with_token(token)
}

#[test]
fn an_answer_comes_through_both() {
    Services::start().talk(async |mut front, mut back| {
        let hundred = Range {
            from: 0,
            below: 100,
        };
        let counted = front.count(hundred).await.unwrap().into_inner();
        assert_eq!(counted.primes, 25);
        let stats = back.stopped(|stats| stats.finished).await;
        assert_eq!(stats.steps, 100);
    });
}

#[test]
fn the_work_stops_when_the_client_gives_up() {
    Services::start().talk(async |front, mut back| {
        let patience = SimpleToken::new();
        let call = call(&front, endless(&patience));
        back.begun().await;
        patience.cancel_with("no patience");
        let status = call.await.unwrap().unwrap_err();
        assert_eq!(status.code(), Code::Cancelled);
        assert!(cancellation(&status).unwrap().is_from(&patience));
        back.stopped(|stats| stats.client_gone).await;
    });
}

#[test]
fn the_work_stops_when_a_call_is_dropped() {
    Services::start().talk(async |front, mut back| {
        let call = call(&front, Request::new(ENDLESS));
        back.begun().await;
        call.abort();
        back.stopped(|stats| stats.client_gone).await;
    });
}

#[test]
fn the_work_stops_at_the_deadline_of_the_client() {
    Services::start().talk(async |front, mut back| {
        let deadline = TimeoutToken::new(Duration::from_millis(200));
        let status = call(&front, endless(&deadline)).await.unwrap().unwrap_err();
        assert_eq!(status.code(), Code::DeadlineExceeded, "{status}");
        // The client's reset and the second service's own deadline come at the same moment.
        back.stopped(|stats| stats.client_gone + stats.deadline)
            .await;
    });
}

#[test]
fn the_second_service_knows_the_deadline_itself() {
    Services::start().talk(async |_, mut back| {
        let mut request = Request::new(ENDLESS);
        let metadata = request.metadata_mut();
        metadata.insert("x-request-timeout", "0.2".parse().unwrap());
        let status = call(&back.0, request).await.unwrap().unwrap_err();
        assert_eq!(status.code(), Code::DeadlineExceeded);
        assert_eq!(status.message(), "the timeout of 200ms has expired");
        back.stopped(|stats| stats.deadline).await;
    });
}

#[test]
fn the_work_stops_when_the_first_service_is_terminated() {
    let services = Services::start();
    let terminate = services.front.terminator();
    services.talk(async move |front, mut back| {
        let call = call(&front, Request::new(ENDLESS));
        back.begun().await;
        terminate();
        let status = call.await.unwrap().unwrap_err();
        assert_eq!(status.code(), Code::Unavailable);
        assert_eq!(status.message(), "shutdown: cancelled: SIGTERM");
        back.stopped(|stats| stats.client_gone).await;
    });
    assert_eq!(services.front.end(), Some(Signal::TERM.as_raw()));
    services.back.terminator()();
    assert_eq!(services.back.end(), Some(Signal::TERM.as_raw()));
}
