//! With the feature `tracing` a child that its token ends is one event.
#![cfg(all(unix, feature = "tracing"))]

use std::process::Command;

use cantok_core::{CounterToken, SimpleToken};
use cantok_process::prelude::*;
use cantok_testkit::events::stops;
use cantok_testkit::watchdog;

#[test]
fn a_child_that_is_not_started_is_one_event() {
    let budget = CounterToken::new(0).named("budget");
    let stops = stops(|| {
        let _ = Command::new("true").status_with_token(&budget);
    });
    let event = "DEBUG cantok message=stopped early job=\"child\" token=\"budget\" cause=Counter { limit: 0 }";
    assert_eq!(stops, [event]);
}

#[test]
fn a_child_that_is_ended_is_one_event() {
    let stops = watchdog("a child that is ended", || {
        stops(|| {
            let token = SimpleToken::new().named("stop");
            let mut child = Command::new("sleep")
                .arg("1000")
                .spawn_with_token(&token)
                .unwrap();
            token.cancel();
            // Waiting again does not end it again.
            assert!(child.wait().is_err() && child.wait().is_err());
        })
    });
    let event = "DEBUG cantok message=stopped early job=\"child\" token=\"stop\" cause=Cancelled";
    assert_eq!(stops, [event]);
}

#[test]
fn a_child_that_ends_by_itself_is_no_event() {
    let stops = stops(|| {
        let token = SimpleToken::new();
        Command::new("true").status_with_token(&token).unwrap();
        Command::new("false").output_with_token(&token).unwrap();
    });
    assert!(stops.is_empty(), "{stops:?}");
}
