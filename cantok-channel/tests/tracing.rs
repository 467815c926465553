//! With the feature `tracing` a call that its token ends is one event.
#![cfg(feature = "tracing")]

mod support;

use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::Duration;

use crate::support::operations::{HOUR, Outcome, recvs, sends, waiting_recvs};
use crate::support::probe::Probe;
use cantok_channel::prelude::*;
use cantok_core::{CounterToken, SimpleToken, TimeoutToken};
use cantok_testkit::events::{Collector, line, stops};
use cantok_testkit::watchdog;
use crossbeam_channel::{bounded, never, unbounded};
use tracing::Event;
use tracing::subscriber::with_default;

/// What an operation is called there.
fn job(name: &str) -> &str {
    match name {
        "recv, owned" | "iter" | "into_iter" | "try_with_token" => "recv",
        "recv_with_token" => "recv",
        "try_iter" => "try_recv",
        "send, owned" | "send_with_token" => "send",
        name => name,
    }
}

#[test]
fn a_call_that_is_refused_is_one_event() {
    let budget = CounterToken::new(0).named("budget");
    let event = |name| {
        let cause = "token=\"budget\" cause=Counter { limit: 0 }";
        let job = job(name);
        vec![format!(
            "DEBUG cantok message=stopped early job=\"{job}\" {cause}"
        )]
    };
    let (sender, receiver) = unbounded();
    for recv in recvs() {
        let stops = stops(|| {
            let _ = (recv.run)(&receiver, &budget, Duration::ZERO);
        });
        assert_eq!(stops, event(recv.name));
    }
    for send in sends() {
        let stops = stops(|| {
            let _ = (send.run)(&sender, 1, &budget, Duration::ZERO);
        });
        assert_eq!(stops, event(send.name));
    }
}

#[test]
fn a_call_that_is_ended_is_one_event() {
    let (_sender, receiver) = bounded(0);
    for recv in waiting_recvs() {
        let token = TimeoutToken::new(Duration::from_millis(2));
        let stops = stops(|| assert!((recv.run)(&receiver, &token, HOUR).is_cancelled()));
        let cause = "cause=Timeout { after: 2ms }";
        let job = job(recv.name);
        let event = format!("DEBUG cantok message=stopped early job=\"{job}\" {cause}");
        assert_eq!(stops, [event]);
    }
}

#[test]
fn a_call_that_ends_otherwise_is_no_event() {
    let stops = stops(|| {
        let token = SimpleToken::new();
        let (sender, receiver) = unbounded();
        for (recv, send) in recvs().iter().zip(sends().iter().cycle()) {
            assert_eq!(
                (send.run)(&sender, 1, &token, Duration::ZERO),
                Outcome::Sent
            );
            let outcome = (recv.run)(&receiver, &token, Duration::ZERO);
            assert_eq!(outcome, Outcome::Received(1));
        }
        drop(sender);
        for recv in recvs() {
            let outcome = (recv.run)(&receiver, &token, Duration::ZERO);
            assert_eq!(outcome, Outcome::Disconnected(None));
        }
    });
    assert!(stops.is_empty(), "{stops:?}");
}

/// A collector of events may be slow.
#[test]
fn a_call_is_woken_before_the_cancel_is_reported() {
    watchdog("a report that waits for a call to end", || {
        let (ended, end) = mpsc::channel();
        let end = Mutex::new(end);
        let collector = Collector(move |event: &Event<'_>| {
            assert!(line(event).contains("message=cancelled"));
            end.lock().unwrap().recv().unwrap();
        });
        let source = SimpleToken::new();
        let (token, probe) = Probe::of(&source);
        let call = thread::spawn(move || {
            let received = never::<()>().recv_with_token(&token);
            ended.send(()).unwrap();
            received
        });
        probe.await_calls(1);
        with_default(collector, || source.cancel());
        assert!(call.join().unwrap().unwrap_err().is_cancelled());
    });
}
