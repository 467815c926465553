//! What a poll allocates: nothing, but for the list of those who wait on one token where there are several.

mod support;

use std::future::{pending, poll_fn, ready as at_once};
use std::hint::black_box;
use std::pin::pin;
use std::task::Poll;

use crate::support::waiting::{never_an_item, ready, waiting};
use allocation_counter::measure;
use cantok_core::{CounterToken, SimpleToken, TimeoutToken, Token};
use cantok_futures::prelude::*;
use cantok_testkit::Counted;
use cantok_testkit::shapes::{HOUR, shapes};
use futures::stream::{self, StreamExt};

/// How often `f` allocates on this thread.
fn allocations(f: impl FnOnce()) -> u64 {
    measure(f).count_total
}

#[test]
fn what_counts_allocations_counts_them() {
    assert_eq!(allocations(|| drop(black_box(Box::new(1)))), 1);
    assert_eq!(allocations(|| drop(SimpleToken::new().child())), 2);
    assert_eq!(allocations(|| ()), 0);
}

#[test]
fn a_ready_future_is_made_and_polled_without_an_allocation() {
    for (shape, token) in shapes(&SimpleToken::new()) {
        let task = Counted::new();
        let count = allocations(|| {
            let future = at_once(7).with_token(&token);
            assert_eq!(ready(task.poll(&mut pin!(future))), Ok(7));
            let future = at_once(7).with_token(&token).future_first();
            assert_eq!(ready(task.poll(&mut pin!(future))), Ok(7));
        });
        assert_eq!(count, 0, "{shape}");
    }
}

#[test]
fn items_that_are_there_are_taken_without_an_allocation() {
    for (shape, token) in shapes(&SimpleToken::new()) {
        let task = Counted::new();
        // So many checks would have it told of cancels and deadlines, which takes a place there.
        assert!(task.poll(&mut token.cancelled()).is_pending());
        let count = allocations(|| {
            let mut stream = stream::iter(0..1_000).try_with_token(&token);
            assert!(
                (0..1_000).all(|item| task.poll_next(&mut stream) == Poll::Ready(Some(Ok(item))))
            );
            assert_eq!(ready(task.poll_next(&mut stream)), None);
            let mut stream = stream::repeat(1).with_token(&token).take(10);
            while ready(task.poll_next(&mut stream)).is_some() {}
        });
        assert_eq!(count, 0, "{shape}");
    }
}

/// A token that had a waiter before has everything that waiting takes.
#[test]
fn the_only_one_who_waits_for_a_simple_token_allocates_nothing() {
    let token = SimpleToken::new();
    let child = token.child();
    let counter = CounterToken::new(1_000);
    let timeout = TimeoutToken::new(HOUR);
    for (kind, token) in [
        ("simple", &*token),
        ("counter", &counter),
        ("never", &Token::never()),
    ] {
        each_first_poll_allocates(0, kind, token);
    }
    // Once, to be told by the token that it derives from or by the timer.
    for (kind, token) in [("child", &*child), ("timeout", &timeout)] {
        let task = Counted::new();
        assert!(task.poll(&mut token.cancelled()).is_pending());
        each_first_poll_allocates(0, kind, token);
    }
}

fn each_first_poll_allocates(expected: u64, kind: &str, token: &Token) {
    let task = Counted::new();
    let count = allocations(|| {
        let mut cancelled = token.cancelled();
        assert!(task.poll(&mut cancelled).is_pending());
        drop(cancelled);
    });
    assert_eq!(count, expected, "cancelled, {kind}");
    let count = allocations(|| {
        let mut cancelled = token.cancelled_owned();
        assert!(task.poll(&mut cancelled).is_pending());
    });
    assert_eq!(count, expected, "cancelled_owned, {kind}");
    let count = allocations(|| {
        let future = pending::<()>().with_token(token);
        assert!(task.poll(&mut pin!(future)).is_pending());
    });
    assert_eq!(count, expected, "future, {kind}");
    let count = allocations(|| {
        let mut stream = never_an_item().try_with_token(token);
        assert!(task.poll_next(&mut stream).is_pending());
    });
    assert_eq!(count, expected, "stream, {kind}");
}

#[test]
fn polls_after_the_first_one_allocate_nothing() {
    for (shape, token) in shapes(&SimpleToken::new()) {
        let task = Counted::new();
        for (what, mut future) in waiting(&token) {
            assert!(task.poll(&mut future).is_pending());
            let count = allocations(|| {
                for _ in 0..1_000 {
                    assert!(task.poll(&mut future).is_pending());
                }
            });
            assert_eq!(count, 0, "{what} on {shape}");
        }
    }
}

/// From the second change on, at the latest: there is a place for the old one and for the new one.
#[test]
fn changes_of_tasks_allocate_nothing() {
    let token = SimpleToken::new();
    let tasks = [Counted::new(), Counted::new()];
    for (what, mut future) in waiting(&token) {
        for task in &tasks {
            assert!(task.poll(&mut future).is_pending());
        }
        let count = allocations(|| {
            for task in tasks.iter().cycle().take(100) {
                assert!(task.poll(&mut future).is_pending());
            }
        });
        assert_eq!(count, 0, "{what}");
    }
}

/// Each item is waited for.
#[test]
fn items_that_are_waited_for_are_taken_without_an_allocation() {
    let token = SimpleToken::new();
    let task = Counted::new();
    let mut polls = 0;
    let items = stream::poll_fn(|_| {
        polls += 1;
        match polls % 2 {
            0 => Poll::Ready(Some(polls)),
            _ => Poll::Pending,
        }
    });
    let count = allocations(|| {
        let mut stream = items.with_token(&token);
        for _ in 0..1_000 {
            assert!(task.poll_next(&mut stream).is_pending());
            assert!(ready(task.poll_next(&mut stream)).is_some());
        }
    });
    assert_eq!(count, 0);
}

/// The list grows with those who wait, and not with how often.
#[test]
fn many_who_wait_for_one_token_share_one_list() {
    let token = SimpleToken::new();
    let tasks: Vec<_> = (0..1_000).map(|_| Counted::new()).collect();
    let mut all: Vec<_> = tasks.iter().map(|_| token.cancelled()).collect();
    let mut poll_all = || {
        allocations(|| {
            for (task, cancelled) in tasks.iter().zip(&mut all) {
                assert!(task.poll(cancelled).is_pending());
            }
        })
    };
    // It has four parts, each of which doubles seven times.
    assert!(poll_all() <= 32);
    assert_eq!(poll_all(), 0);
    let count = allocations(|| {
        let future = poll_fn(|_| Poll::<()>::Pending).with_token(&token);
        assert!(tasks[0].poll(&mut pin!(future)).is_pending());
    });
    assert!(count <= 1, "{count}");
}
