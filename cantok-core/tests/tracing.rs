//! With the feature `tracing` each cancellation is one event, whatever derives from the token.
#![cfg(feature = "tracing")]

use std::sync::mpsc;
use std::task::Waker;
use std::time::Duration;

use cantok_core::adapter::TokenAdapterExt as _;
use cantok_core::{ConditionToken, CounterToken, SimpleToken, TimeoutToken};
use cantok_testkit::events::{Collector, events};
use cantok_testkit::watchdog;
use tracing::Event;
use tracing::subscriber::with_default;

#[test]
fn a_cancel_is_one_event_with_the_name_the_cause_and_the_number_of_callbacks() {
    let events = events(|| {
        let token = SimpleToken::new().named("shutdown");
        let child = token.child();
        let sum = &token + &child;
        let registrations = [token.on_cancel(|_| {}), child.on_cancel(|_| {})];
        token.cancel();
        token.cancel();
        assert!(sum.is_cancelled());
        drop(registrations);
    });
    assert_eq!(
        events,
        ["DEBUG cantok message=cancelled token=\"shutdown\" cause=Cancelled callbacks=2"]
    );
}

#[test]
fn tasks_that_are_woken_and_detached_callbacks_count_as_callbacks() {
    let events = events(|| {
        let token = SimpleToken::new();
        let _first = token.register(Waker::noop());
        // Nothing is left of that child but its callback.
        token.child().on_cancel(|_| {}).detach();
        let child = token.child();
        let _second = child.register(Waker::noop());
        drop(child.register(Waker::noop()));
        token.cancel();
    });
    assert_eq!(
        events,
        ["DEBUG cantok message=cancelled cause=Cancelled callbacks=3"]
    );
}

#[test]
fn each_kind_of_token_says_what_its_cause_was() {
    let after = Duration::ZERO;
    let events = events(|| {
        SimpleToken::new().cancel_with("enough");
        assert!(ConditionToken::new(|| true).is_cancelled());
        assert!(CounterToken::new(0).is_cancelled());
        assert!(TimeoutToken::new(after).is_cancelled());
        // The event is that of the operand, not of the sum.
        let counter = CounterToken::new(0);
        assert!((&counter + SimpleToken::new()).is_cancelled());
    });
    let causes = [
        "Reason(\"enough\")",
        "Condition",
        "Counter { limit: 0 }",
        "Timeout { after: 0ns }",
        "Counter { limit: 0 }",
    ];
    let expected =
        causes.map(|cause| format!("DEBUG cantok message=cancelled cause={cause} callbacks=0"));
    assert_eq!(events, expected);
}

#[test]
fn peeks_and_checks_that_find_nothing_are_no_events() {
    let events = events(|| {
        let token = SimpleToken::new() + CounterToken::new(2);
        assert!(token.keep_on());
        assert!(token.cancellation().is_none());
        drop(token);
    });
    assert!(events.is_empty(), "{events:?}");
}

/// Collectors are user code: they may use any token, and the timer does not wait for them.
#[test]
fn an_event_may_use_the_very_token_that_it_is_about() {
    watchdog("an event that asks its token", || {
        let token = SimpleToken::new();
        let (sender, receiver) = mpsc::channel();
        let asks = Collector({
            let token = token.clone();
            move |_: &Event<'_>| {
                let asked = token.is_cancelled() && !token.cancel();
                sender.send(asked).unwrap();
            }
        });
        with_default(asks, || token.cancel());
        assert!(receiver.recv().unwrap());
    });
}
