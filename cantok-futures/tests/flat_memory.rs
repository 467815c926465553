//! A token that lives long does not grow, however many futures and streams have waited for it.
#![cfg(target_os = "linux")]

mod support;

use std::future::pending;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::support::inside::Inside;
use crate::support::waiting::{never_an_item, ready, waiting};
use cantok_core::adapter::TokenAdapterExt as _;
use cantok_core::{ConditionToken, CounterToken, SimpleToken, TimeoutToken, Token};
use cantok_futures::prelude::*;
use cantok_testkit::Counted;
use cantok_testkit::memory::resident_bytes;
use cantok_testkit::watchdog;

const HOUR: Duration = Duration::from_secs(3600);

/// What the process may grow by: a million rounds that leave 5 bytes each behind exceed it.
const LIMIT: usize = 4 * 1024 * 1024;

const MILLION: usize = 1_000_000;

/// The memory is the process's, so one test measures at a time.
static MEASURING: Mutex<()> = Mutex::new(());

/// Runs `round` that often without growing, after as many rounds as it takes to warm up.
fn stays_flat(
    what: &'static str,
    rounds: usize,
    round: impl Fn(&Counted, usize) + Send + Sync + 'static,
) {
    const BLOCKS: usize = 10;
    let _measuring = MEASURING.lock().unwrap_or_else(PoisonError::into_inner);
    let task = Arc::new(Counted::new());
    let round = Arc::new(round);
    let block = || {
        let (task, round) = (task.clone(), round.clone());
        watchdog(what, move || {
            (0..rounds / BLOCKS).for_each(|number| round(&task, number));
        });
    };
    block();
    let before = resident_bytes().expect("/proc/self/statm");
    (0..BLOCKS).for_each(|_| block());
    let after = resident_bytes().expect("/proc/self/statm");
    let grown = after.saturating_sub(before);
    assert!(grown <= LIMIT, "{what}: {grown} bytes in {rounds} rounds");
    assert_eq!((task.wakes(), task.is_held()), (0, false), "{what}");
}

/// The root itself, and tokens that are also kept elsewhere.
fn long_lived() -> (SimpleToken, [Token; 3]) {
    let root = SimpleToken::new();
    let tokens = [
        Token::from(&root),
        &root + TimeoutToken::new(HOUR) + CounterToken::new(u64::MAX),
        &root + ConditionToken::new(|| false).poll_interval(HOUR),
    ];
    (root, tokens)
}

#[test]
fn a_million_waits_for_the_cancel_of_one_token() {
    let root = SimpleToken::new();
    stays_flat("waits", MILLION, move |task, _| {
        assert!(task.poll(&mut root.cancelled()).is_pending());
    });
}

/// Beside others that go on waiting, so that it is a list.
#[test]
fn a_million_waits_on_tokens_that_others_wait_for() {
    let (_root, tokens) = long_lived();
    let other = Counted::new();
    let mut others = tokens.clone().map(|token| waiting(&token));
    for (_, future) in others.iter_mut().flatten() {
        assert!(other.poll(future).is_pending());
    }
    stays_flat("waits beside others", MILLION, move |task, number| {
        let mut cancelled = tokens[number % tokens.len()].cancelled_owned();
        assert!(task.poll(&mut cancelled).is_pending());
    });
}

#[test]
fn a_million_waits_for_a_deadline_each() {
    let root = SimpleToken::new();
    stays_flat("deadlines", MILLION, move |task, _| {
        let token = &root + TimeoutToken::new(HOUR);
        assert!(task.poll(&mut token.cancelled()).is_pending());
    });
}

#[test]
fn a_million_futures_that_are_dropped_while_they_wait() {
    let (_root, tokens) = long_lived();
    stays_flat("futures", MILLION, move |task, number| {
        let future = pending::<()>().with_token(&tokens[number % tokens.len()]);
        assert!(task.poll(&mut pin!(future)).is_pending());
    });
}

#[test]
fn a_million_futures_that_get_ready() {
    let (_root, tokens) = long_lived();
    stays_flat("futures that get ready", MILLION, move |_, number| {
        let task = Counted::new();
        let inside = Inside::default();
        let mut future = inside.future().with_token(&tokens[number % tokens.len()]);
        assert!(task.poll(&mut future).is_pending());
        inside.put(7);
        assert_eq!(ready(task.poll(&mut future)), Ok(Some(7)));
    });
}

#[test]
fn a_million_futures_with_a_deadline_each() {
    let root = SimpleToken::new();
    stays_flat("futures with a deadline", MILLION, move |task, _| {
        let future = pending::<()>().with_token(&root + TimeoutToken::new(HOUR));
        assert!(task.poll(&mut pin!(future)).is_pending());
    });
}

#[test]
fn a_million_streams_that_are_dropped_while_they_wait() {
    let (_root, tokens) = long_lived();
    stays_flat("streams", MILLION, move |task, number| {
        let token = &tokens[number % tokens.len()];
        let mut stream = never_an_item().try_with_token(token);
        assert!(task.poll_next(&mut stream).is_pending());
        let mut stream = never_an_item().with_token(token.child());
        assert!(task.poll_next(&mut stream).is_pending());
    });
}

#[test]
fn a_million_items_that_were_waited_for() {
    let (_root, tokens) = long_lived();
    let inside = Inside::default();
    let streams = tokens.map(|token| inside.stream().with_token(token));
    let streams = Mutex::new(streams);
    stays_flat("items", MILLION, move |_, number| {
        let task = Counted::new();
        let mut streams = streams.lock().unwrap();
        let stream = &mut streams[number % 3];
        assert!(task.poll_next(stream).is_pending());
        inside.put(7);
        assert_eq!(ready(task.poll_next(stream)), Some(7));
    });
}

#[test]
fn a_million_tasks_that_a_future_is_passed_on_to() {
    let (_root, tokens) = long_lived();
    let futures = Mutex::new(tokens.map(|token| waiting(&token)));
    stays_flat("tasks", MILLION, move |_, number| {
        let task = Counted::new();
        let mut futures = futures.lock().unwrap();
        let (_, future) = &mut futures[number % 3][number % 6];
        assert!(task.poll(future).is_pending());
    });
}

#[test]
fn futures_whose_token_is_cancelled() {
    let root = SimpleToken::new();
    stays_flat("cancelled futures", 100_000, move |_, _| {
        let task = Counted::new();
        let token = root.child();
        for (_, mut future) in waiting(&token) {
            assert!(task.poll(&mut future).is_pending());
        }
        let (_, mut future) = waiting(&token).into_iter().last().unwrap();
        assert!(task.poll(&mut future).is_pending());
        assert!(token.cancel());
        assert!(task.poll(&mut future).is_ready());
    });
}

/// What is attached to a token goes when nothing waits for it any more, and stays until then.
#[test]
fn what_waits_keeps_its_token_and_nothing_else_does() {
    let task = Counted::new();
    for kind in 0..waiting(&Token::never()).len() {
        let token = SimpleToken::new();
        let alive = Arc::new(());
        token.attach(alive.clone());
        let (what, mut future) = waiting(&token).into_iter().nth(kind).unwrap();
        drop(token);
        assert!(task.poll(&mut future).is_pending(), "{what}");
        assert_eq!(Arc::strong_count(&alive), 2, "{what}");
        drop(future);
        assert_eq!(Arc::strong_count(&alive), 1, "{what}");
    }
}
