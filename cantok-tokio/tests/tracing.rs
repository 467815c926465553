//! With the feature `tracing`, each cancel is one event: by dropped work, across bridges, on tokio's clock.
#![cfg(all(feature = "tracing", feature = "tokio-util"))]

mod support;

use std::time::Duration;

use crate::support::kinds::Kind;
use crate::support::runtimes::paused_runtime;
use cantok_core::{SimpleToken, Token};
use cantok_testkit::events::events;
use cantok_tokio::prelude::*;
use cantok_tokio::time::timeout_token;
use tokio::task::{LocalSet, yield_now};
use tokio::time::advance;
use tokio_util::sync::CancellationToken;

#[test]
fn work_whose_future_is_dropped_is_one_event() {
    let dropped = "DEBUG cantok message=cancelled cause=Reason(\"the future that waits for the work \
                   was dropped\") callbacks=1";
    for kind in Kind::ALL {
        let events = events(|| {
            watched(async move || {
                let given = SimpleToken::new().named("given");
                let work = kind.spawn(&given, async |_: Token| {});
                work.token().on_cancel(|_| {}).detach();
                drop(work);
                // Nothing is cancelled by these.
                kind.spawn(&given, async |_: Token| {}).await.unwrap();
                drop(kind.spawn(&given, async |_: Token| {}).detach());
            });
        });
        assert_eq!(events, [dropped]);
    }
}

/// On this thread, in a `LocalSet` on a runtime.
fn watched(f: impl AsyncFnOnce()) {
    LocalSet::new().block_on(&paused_runtime(), f());
}

#[cfg(feature = "rayon")]
#[test]
fn work_on_rayon_whose_future_is_dropped_is_one_event() {
    let events = events(|| {
        let work = cantok_tokio::spawn_rayon_with_token(SimpleToken::new(), |_| ());
        drop(work);
    });
    let dropped = "DEBUG cantok message=cancelled cause=Reason(\"the future that waits for the work \
                   was dropped\") callbacks=0";
    assert_eq!(events, [dropped]);
}

#[test]
fn a_cancel_that_crosses_a_bridge_is_one_event_for_each_token_of_ours() {
    let events = events(|| {
        let token = SimpleToken::new().named("ours");
        let bridge = token.to_tokio();
        let back = bridge.to_cantok().named("back");
        token.cancel();
        assert!(back.is_cancelled());

        let source = CancellationToken::new();
        let _tokens = [source.to_cantok().named("theirs"), source.to_cantok()];
        drop(source.to_cantok());
        source.cancel();
        watched(async || {
            let timeout = timeout_token(Duration::from_millis(1)).named("timer");
            advance(Duration::from_millis(1)).await;
            assert!(timeout.is_cancelled());
            // Events are sent in a task.
            yield_now().await;
        });
    });
    let event = |rest| format!("DEBUG cantok message=cancelled {rest}");
    assert_eq!(
        events,
        [
            // Bridges come before events, as tasks do.
            event("token=\"back\" cause=Cancelled callbacks=0"),
            event("token=\"ours\" cause=Cancelled callbacks=1"),
            event("token=\"theirs\" cause=Cancelled callbacks=0"),
            event("cause=Cancelled callbacks=0"),
            event("token=\"timer\" cause=Timeout { after: 1ms } callbacks=0"),
        ]
    );
}
