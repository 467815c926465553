//! With the feature `tracing` a future or a stream that its token ends is one event.
#![cfg(feature = "tracing")]

#[path = "../../cantok-core/tests/support/events.rs"]
mod events;
#[path = "support/kinds.rs"]
mod kinds;
#[path = "support/polls.rs"]
mod polls;
#[path = "support/runtimes.rs"]
mod runtimes;
#[path = "../../cantok-core/tests/support/mod.rs"]
mod support;

use std::future::{pending, ready};
use std::sync::{Arc, Mutex, mpsc};
use std::task::Waker;
use std::time::Duration;

use cantok_core::{CounterToken, SimpleToken, TimeoutToken, Token};
use cantok_tokio::prelude::*;
use cantok_tokio::time::timeout;
use events::{Collector, line};
use futures::StreamExt;
use futures::stream;
use kinds::Kind;
use polls::poll;
use pollster::block_on;
use runtimes::paused_runtime;
use support::watchdog;
use tokio::task::{LocalSet, yield_now};
use tokio::time::advance;
use tokio_util::sync::CancellationToken;
use tracing::Event;
use tracing::subscriber::with_default;

/// The events of what `f` does on this thread.
fn events(f: impl FnOnce()) -> Vec<String> {
    let (sender, receiver) = mpsc::channel();
    let collector = Collector(move |event: &Event<'_>| sender.send(line(event)).unwrap());
    with_default(collector, f);
    receiver.try_iter().collect()
}

/// Those of adapters.
fn stops(f: impl FnOnce()) -> Vec<String> {
    let mut events = events(f);
    events.retain(|event| event.contains("stopped early"));
    events
}

const BUDGET: &str = "token=\"budget\" cause=Counter { limit: 1 }";

#[test]
fn a_future_that_is_kept_from_beginning_is_one_event() {
    let budget = CounterToken::new(1).named("budget");
    let stops = stops(|| {
        assert!(block_on(ready(1).with_token(&budget)).is_ok());
        assert!(block_on(ready(1).with_token(&budget)).is_err());
        assert!(block_on(ready(1).with_token(&budget).future_first()).is_err());
    });
    let event = format!("DEBUG cantok message=stopped early job=\"future\" {BUDGET}");
    assert_eq!(stops, [event.clone(), event]);
}

#[test]
fn a_future_that_is_ended_is_one_event() {
    watchdog("a future that is ended", || {
        let token = SimpleToken::new() + TimeoutToken::new(Duration::from_millis(2));
        let stops = stops(|| {
            block_on(pending::<()>().with_token(&token)).unwrap_err();
            let mut later = pending::<()>().with_token(&token).future_first();
            assert!(poll(&mut later, Waker::noop()).is_ready());
        });
        let cause = "cause=Timeout { after: 2ms }";
        let event = format!("DEBUG cantok message=stopped early job=\"future\" {cause}");
        assert_eq!(stops, [event.clone(), event]);
    });
}

#[test]
fn a_stream_that_is_ended_is_one_event() {
    let event = format!("DEBUG cantok message=stopped early job=\"stream\" {BUDGET}");
    let budget = || CounterToken::new(1).named("budget");
    let stops = stops(|| {
        let mut quiet = stream::repeat(1).with_token(budget());
        assert_eq!(block_on(quiet.next()), Some(1));
        for _ in 0..3 {
            assert_eq!(block_on(quiet.next()), None);
        }
        let mut loud = stream::repeat(1).try_with_token(budget());
        assert_eq!(block_on(loud.next()), Some(Ok(1)));
        assert!(block_on(loud.next()).unwrap().is_err());
        for _ in 0..3 {
            assert_eq!(block_on(loud.next()), None);
        }
    });
    assert_eq!(stops, [event.clone(), event]);
}

#[test]
fn a_stream_that_is_ended_while_it_waits_is_one_event() {
    let stops = stops(|| {
        let token = SimpleToken::new();
        let mut items = stream::pending::<()>().try_with_token(&token);
        let mut next = items.next();
        assert!(poll(&mut next, Waker::noop()).is_pending());
        assert!(poll(&mut next, Waker::noop()).is_pending());
        token.cancel();
        assert!(poll(&mut next, Waker::noop()).is_ready());
    });
    assert_eq!(
        stops,
        ["DEBUG cantok message=stopped early job=\"stream\" cause=Cancelled"]
    );
}

#[test]
fn what_ends_otherwise_is_no_event() {
    let stops = stops(|| {
        let token = SimpleToken::new();
        assert!(block_on(ready(1).with_token(&token)).is_ok());
        let items = stream::iter(0..10).with_token(&token);
        assert_eq!(block_on(items.count()), 10);
        let items = stream::iter(0..10).try_with_token(&token);
        assert_eq!(block_on(items.count()), 10);

        // Dropped before they notice.
        let mut future = pending::<()>().with_token(&token);
        assert!(poll(&mut future, Waker::noop()).is_pending());
        let mut items = stream::pending::<()>().with_token(&token);
        assert!(poll(&mut items.next(), Waker::noop()).is_pending());
        token.cancel();
        drop((future, items));

        // Whoever waits for the cancel is not stopped by it.
        block_on(token.cancelled());
    });
    assert!(stops.is_empty(), "{stops:?}");
}

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
            let timeout = timeout(Duration::from_millis(1)).named("timer");
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

/// Whoever collects events may use the token, and what it has stopped is released by then.
#[test]
fn an_event_comes_when_the_future_is_dropped() {
    let token = SimpleToken::new();
    let released = Arc::new(());
    let seen = Arc::<Mutex<Vec<usize>>>::default();
    let collector = Collector({
        let (token, released, seen) = (token.clone(), released.clone(), seen.clone());
        move |event: &Event<'_>| {
            assert!(token.is_cancelled() && !token.cancel());
            if line(event).contains("stopped early") {
                seen.lock().unwrap().push(Arc::strong_count(&released));
            }
        }
    });
    with_default(collector, || {
        let captured = released.clone();
        let mut future = Box::pin(async move {
            let _captured = captured;
            pending::<()>().await;
        })
        .with_token(&token);
        assert!(poll(&mut future, Waker::noop()).is_pending());
        token.cancel();
        assert!(poll(&mut future, Waker::noop()).is_ready());
    });
    // The test's own; the collector's is gone with it.
    assert_eq!((*seen.lock().unwrap()).as_slice(), [2]);
    assert_eq!(Arc::strong_count(&released), 1);
}
