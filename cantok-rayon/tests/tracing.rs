//! With the feature `tracing` a job that is stopped early is one event, besides that of the cancel.
#![cfg(feature = "tracing")]

use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Barrier, mpsc};
use std::thread;

use cantok_core::{CounterToken, SimpleToken, Token};
use cantok_rayon::prelude::*;
use cantok_rayon::{join, scope, spawn};
use cantok_testkit::events::{Collector, line};
use cantok_testkit::watchdog;
use rayon::ThreadPoolBuilder;
use rayon::prelude::*;
use tracing::Event;
use tracing::subscriber::with_default;

/// The events of adapters, of what `f` does in a pool of two threads.
fn stops<R: Send>(f: impl FnOnce() -> R + Send) -> Vec<String> {
    let (sender, receiver) = mpsc::channel();
    let threads = sender.clone();
    let pool = ThreadPoolBuilder::new().num_threads(2);
    let pool = pool.spawn_handler(|thread| {
        let sender = threads.clone();
        let collector = Collector(move |event: &Event<'_>| sender.send(line(event)).unwrap());
        thread::spawn(|| with_default(collector, || thread.run()));
        Ok(())
    });
    drop(pool.build().unwrap().install(f));
    drop((sender, threads));
    // Until the threads have ended.
    let events = watchdog("the end of a pool", move || {
        receiver.iter().collect::<Vec<_>>()
    });
    events
        .into_iter()
        .filter(|event| event.contains("stopped early"))
        .collect()
}

fn items() -> rayon::range::Iter<usize> {
    (0..1_000).into_par_iter()
}

#[test]
fn a_job_that_is_stopped_is_one_event_with_the_token_and_the_cause() {
    let budget = || CounterToken::new(10).named("budget");
    let event = |job| {
        let cause = "token=\"budget\" cause=Counter { limit: 10 }";
        vec![format!(
            "DEBUG cantok message=stopped early job=\"{job}\" {cause}"
        )]
    };
    let stopped = stops(|| items().with_token(budget()).count());
    assert_eq!(stopped, event("with_token"));
    let stopped = stops(|| items().try_with_token(budget()).count());
    assert_eq!(stopped, event("try_with_token"));
    let stopped = stops(|| items().try_with_token(budget()).rev().count());
    assert_eq!(stopped, event("try_with_token"));
    let mut list = Vec::new();
    let stopped = stops(|| items().try_with_token(budget()).collect_into_vec(&mut list));
    assert_eq!(stopped, event("try_with_token"));
    let stopped = stops(|| items().cancel_on_panic(budget()).count());
    assert_eq!(stopped, event("cancel_on_panic"));
    let stopped = stops(|| {
        let many = |s: &cantok_rayon::Scope<'_, '_>| (0..20).for_each(|_| s.spawn(|_| ()));
        assert_eq!(scope(budget(), many).unwrap_err().skipped(), 10);
    });
    assert_eq!(stopped, event("scope"));
    let used_up = budget();
    while used_up.keep_on() {}
    let stopped = stops(|| join(&used_up, || (), || ()));
    assert_eq!(stopped, event("join"));
    let stopped = stops(|| spawn(&used_up, || ()));
    assert_eq!(stopped, event("spawn"));
}

#[test]
fn a_job_that_is_kept_from_starting_is_one_event() {
    let token = SimpleToken::new();
    token.cancel();
    let event = ["DEBUG cantok message=stopped early job=\"with_token\" cause=Cancelled"];
    assert_eq!(stops(|| items().with_token(&token).count()), event);
}

#[test]
fn a_job_that_is_stopped_by_a_panic_is_one_event() {
    let token = SimpleToken::new();
    let stopped = stops(|| {
        let (is_in, entered) = (Barrier::new(2), AtomicUsize::new(0));
        let items = rayon::iter::repeat(1).cancel_on_panic(&token);
        let panics = || {
            items.for_each(|_| {
                let number = entered.fetch_add(1, Ordering::Relaxed);
                if number < 2 {
                    is_in.wait();
                }
                if number == 0 {
                    panic_any("a test panic in an item");
                }
            });
        };
        catch_unwind(AssertUnwindSafe(panics)).unwrap_err();
    });
    let cause = "cause=Reason(\"an item panicked\")";
    let event = format!("DEBUG cantok message=stopped early job=\"cancel_on_panic\" {cause}");
    assert_eq!(stopped, [event]);
}

#[test]
fn a_job_that_is_complete_is_no_event() {
    let stopped = stops(|| {
        let token = Token::from(CounterToken::new(10_000));
        assert_eq!(items().with_token(&token).count(), 1_000);
        assert_eq!(items().try_with_token(&token).count(), 1_000);
        assert_eq!(items().try_with_token(&token).rev().count(), 1_000);
        assert_eq!(items().cancel_on_panic(&token).count(), 1_000);
        assert_eq!(items().with_token(CounterToken::new(1_000)).count(), 1_000);
        join(&token, || (), || ()).unwrap();
        scope(&token, |s| s.spawn(|_| ())).unwrap();
        spawn(&token, || ());
    });
    assert!(stopped.is_empty(), "{stopped:?}");
}

#[test]
fn a_job_that_is_skipped_says_so_even_if_its_event_panics() {
    let pool = ThreadPoolBuilder::new().num_threads(1);
    let pool = pool.panic_handler(|_| ()).spawn_handler(|thread| {
        let collector = Collector(|_: &Event<'_>| panic_any("a test panic in a collector"));
        thread::spawn(|| with_default(collector, || thread.run()));
        Ok(())
    });
    let pool = pool.build().unwrap();
    let token = SimpleToken::new();
    token.cancel();
    let (sender, receiver) = mpsc::channel::<()>();
    let late = pool.install(|| spawn(&token, move || sender.send(()).unwrap()));
    assert!(watchdog("the drop of a job", move || receiver.recv()).is_err());
    assert!(late.skipped().is_some_and(|error| error.is_from(&token)));
}
