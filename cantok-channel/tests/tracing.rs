//! With the feature `tracing` a call that its token ends is one event.
#![cfg(feature = "tracing")]

#[path = "../../cantok-core/tests/support/events.rs"]
mod events;
#[path = "support/operations.rs"]
mod operations;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use cantok_core::{CounterToken, SimpleToken, TimeoutToken};
use crossbeam_channel::{bounded, unbounded};
use events::{Collector, line};
use operations::{HOUR, Outcome, recvs, sends, waiting_recvs};
use tracing::Event;
use tracing::subscriber::with_default;

/// The events of adapters in what `f` does.
fn stops(f: impl FnOnce()) -> Vec<String> {
    let lines = Arc::<Mutex<Vec<String>>>::default();
    let collected = lines.clone();
    let collector = Collector(move |event: &Event<'_>| collected.lock().unwrap().push(line(event)));
    with_default(collector, f);
    let lines = lines.lock().unwrap();
    let stops = lines.iter().filter(|line| line.contains("stopped early"));
    stops.cloned().collect()
}

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
