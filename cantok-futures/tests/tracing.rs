//! With the feature `tracing`, each future and stream that its token ends is one event.
#![cfg(feature = "tracing")]

use std::future::{pending, ready};
use std::sync::{Arc, Mutex};
use std::task::Waker;
use std::time::Duration;

use cantok_core::{CounterToken, SimpleToken, TimeoutToken};
use cantok_futures::prelude::*;
use cantok_testkit::events::{Collector, line, stops};
use cantok_testkit::polls::poll;
use cantok_testkit::watchdog;
use futures::StreamExt;
use futures::stream;
use pollster::block_on;
use tracing::Event;
use tracing::subscriber::with_default;

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

        // A wait for the cancel is not stopped by it.
        block_on(token.cancelled());
    });
    assert!(stops.is_empty(), "{stops:?}");
}

/// A collector of events may use the token. What the token has stopped is released by then.
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
