//! A token that lives long does not grow, however many calls, views and selects have used it.
#![cfg(target_os = "linux")]

use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use cantok_channel::cancelled;
use cantok_channel::prelude::*;
use cantok_core::adapter::TokenAdapterExt as _;
use cantok_core::{ConditionToken, CounterToken, SimpleToken, TimeoutToken, Token};
use cantok_testkit::memory::resident_bytes;
use cantok_testkit::watchdog;
use crossbeam_channel::{bounded, unbounded};

const HOUR: Duration = Duration::from_secs(3600);

/// What the process may grow by: 100,000 rounds that leave 42 bytes each behind exceed it.
const LIMIT: usize = 4 * 1024 * 1024;

/// The memory is the process's, so one test measures at a time.
static MEASURING: Mutex<()> = Mutex::new(());

fn stays_flat(what: &'static str, round: impl Fn(&Token) + Send + Sync + 'static) {
    const BLOCKS: usize = 100;
    const ROUNDS: usize = 1_000;
    let _measuring = MEASURING.lock().unwrap_or_else(PoisonError::into_inner);
    let root = SimpleToken::new();
    let rounds = Arc::new(move |tokens: &[Token; 3]| {
        for number in 0..ROUNDS {
            round(&tokens[number % tokens.len()]);
        }
    });
    let tokens = Arc::new([
        Token::from(&root),
        &root + TimeoutToken::new(HOUR) + CounterToken::new(u64::MAX),
        &root + ConditionToken::new(|| false).poll_interval(HOUR),
    ]);
    let run = |blocks| {
        for _ in 0..blocks {
            let (rounds, tokens) = (rounds.clone(), tokens.clone());
            watchdog(what, move || rounds(&tokens));
        }
    };
    run(BLOCKS / 10);
    let before = resident_bytes().expect("/proc/self/statm");
    run(BLOCKS);
    let after = resident_bytes().expect("/proc/self/statm");
    let grown = after.saturating_sub(before);
    assert!(
        grown <= LIMIT,
        "{what}: {grown} bytes in {} rounds",
        BLOCKS * ROUNDS
    );
}

#[test]
fn selects_that_come_and_go() {
    stays_flat("selects", |token| {
        let cancelled = cancelled(token);
        assert!(cancelled.clone().try_recv().is_err());
    });
}

#[test]
fn calls_that_waited() {
    stays_flat("calls", |token| {
        let (sender, receiver) = bounded(1);
        let view = receiver.with_token(token);
        assert!(view.recv_timeout(Duration::ZERO).unwrap_err().is_timeout());
        let sender = sender.with_token(token);
        sender.send(1).unwrap();
        assert!(
            sender
                .send_timeout(2, Duration::ZERO)
                .unwrap_err()
                .is_timeout()
        );
        assert_eq!(view.recv(), Ok(1));
    });
}

#[test]
fn calls_that_were_woken() {
    let (sender, receiver) = bounded(0);
    // Until no receiver is left.
    thread::spawn(move || while sender.send(()).is_ok() {});
    stays_flat("calls that were woken", move |token| {
        receiver.recv_with_token(token).unwrap();
    });
}

#[test]
fn views_of_children() {
    stays_flat("views", |token| {
        let (sender, receiver) = unbounded();
        let child = token.child();
        let view = receiver.with_token_owned(&child);
        sender.send_with_token(1, &child).unwrap();
        assert_eq!(view.recv(), Ok(1));
        assert!(view.recv_timeout(Duration::ZERO).unwrap_err().is_timeout());
    });
}

/// A call takes all its registrations with it, and a view registers nothing between calls.
#[test]
fn a_view_keeps_its_token_and_nothing_else_does() {
    let token = SimpleToken::new();
    let alive = Arc::new(());
    token.attach(alive.clone());
    let (sender, receiver) = unbounded::<()>();
    let view = receiver.with_token_owned(token);
    assert!(
        view.recv_timeout(Duration::from_millis(1))
            .unwrap_err()
            .is_timeout()
    );
    assert!(sender.send_with_token((), view.token()).is_ok());
    assert_eq!(Arc::strong_count(&alive), 2);
    drop(view);
    assert_eq!(Arc::strong_count(&alive), 1);
}
