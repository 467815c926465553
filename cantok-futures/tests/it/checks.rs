//! One check for each future and for each item asked for, at the first poll; peeks spend nothing.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::task::{Poll, Waker};
use std::thread;
use std::time::Duration;

use crate::support::inside::Inside;
use crate::support::orders::ordered;
use crate::support::waiting::{never_an_item, ready};
use cantok_core::adapter::TokenAdapterExt as _;
use cantok_core::{Cause, ConditionToken, CounterToken, SimpleToken, Token};
use cantok_futures::prelude::*;
use cantok_testkit::Counted;
use cantok_testkit::background::await_the_background;
use cantok_testkit::conditions::panicking_condition;
use cantok_testkit::watchdog;
use futures::executor::block_on;
use futures::future::{FusedFuture, join_all};
use futures::stream::{self, FusedStream, Stream, StreamExt, TryStreamExt};
use tokio::runtime::Builder;
use tokio::task::yield_now;

const HOUR: Duration = Duration::from_secs(3600);

/// A condition that is never satisfied, and how often this thread's calls have asked it, and others.
fn counted() -> (ConditionToken, Arc<[AtomicUsize; 2]>) {
    let asked = Arc::<[AtomicUsize; 2]>::default();
    let here = thread::current().id();
    let condition = ConditionToken::new({
        let asked = asked.clone();
        move || {
            let by = usize::from(thread::current().id() != here);
            asked[by].fetch_add(1, Ordering::SeqCst);
            false
        }
    });
    (condition.poll_interval(HOUR), asked)
}

/// The same, once the background thread has called it. It calls it again in an hour.
fn asked() -> (ConditionToken, Arc<[AtomicUsize; 2]>) {
    let (condition, asked) = counted();
    let registration = condition.register(Waker::noop());
    await_the_background();
    drop(registration);
    assert_eq!(loads(&asked), [0, 1]);
    (condition, asked)
}

fn loads(asked: &[AtomicUsize; 2]) -> [usize; 2] {
    [0, 1].map(|by| asked[by].load(Ordering::SeqCst))
}

#[test]
fn the_first_poll_of_a_future_is_its_only_check() {
    for is_first in [false, true] {
        let counter = CounterToken::new(10);
        let (condition, asked) = asked();
        let token = &counter + condition + SimpleToken::new();
        let task = Counted::new();
        let inside = Inside::default();
        let mut future = ordered(inside.future(), &token, is_first);
        assert_eq!((counter.remaining(), loads(&asked)), (10, [0, 1]));
        for _ in 0..200 {
            assert!(task.poll(&mut future).is_pending());
            assert_eq!((counter.remaining(), loads(&asked)), (9, [1, 1]));
        }
        inside.put(7);
        assert_eq!(ready(task.poll(&mut future)), Ok(Some(7)));
        drop(future);
        assert_eq!((counter.remaining(), loads(&asked)), (9, [1, 1]));
    }
}

/// It is their own unit.
#[test]
fn the_last_unit_is_enough_for_a_future_and_an_item_that_take_long() {
    let counter = CounterToken::new(2);
    let task = Counted::new();
    let inside = Inside::default();
    let mut future = inside.future().with_token(&counter);
    let items = Inside::default();
    let mut stream = items.stream().try_with_token(&counter);
    for _ in 0..200 {
        assert!(task.poll(&mut future).is_pending());
        assert!(task.poll_next(&mut stream).is_pending());
    }
    assert_eq!((counter.remaining(), counter.cancellation()), (0, None));
    inside.put(7);
    items.put(8);
    assert_eq!(ready(task.poll(&mut future)), Ok(Some(7)));
    assert_eq!(ready(task.poll_next(&mut stream)), Some(Ok(8)));
    let error = ready(task.poll_next(&mut stream)).unwrap().unwrap_err();
    assert_eq!(error.cause(), &Cause::Counter { limit: 2 });
}

#[test]
fn waiting_for_the_cancel_is_no_check() {
    watchdog("waiting", || {
        let counter = CounterToken::new(10);
        let (condition, asked) = counted();
        let token = &counter + condition + SimpleToken::new();
        let task = Counted::new();
        let mut cancelled = token.cancelled();
        for _ in 0..200 {
            assert!(task.poll(&mut cancelled).is_pending());
        }
        // By the background thread, when the wait began.
        await_the_background();
        assert_eq!((counter.remaining(), loads(&asked)), (10, [0, 1]));
        drop(cancelled);
        assert_eq!(counter.remaining(), 10);
    });
}

#[test]
fn a_stream_checks_once_for_each_polled_item() {
    let counter = CounterToken::new(10);
    let (condition, asked) = asked();
    let token = &counter + condition;
    let task = Counted::new();
    let inside = Inside::default();
    let mut stream = inside.stream().with_token(&token);
    for item in 1..=3 {
        let before = (11 - u64::from(item), [item as usize - 1, 1]);
        assert_eq!((counter.remaining(), loads(&asked)), before);
        for _ in 0..100 {
            assert!(task.poll_next(&mut stream).is_pending());
            // What it woke for was not an item.
            inside.wake();
        }
        inside.put(item);
        assert_eq!(ready(task.poll_next(&mut stream)), Some(item));
        let after = (10 - u64::from(item), [item as usize, 1]);
        assert_eq!((counter.remaining(), loads(&asked)), after);
    }
    // Those that are there at once too, and the end, of which there is one.
    (4..=5).for_each(|item| inside.put(item));
    inside.end();
    for item in [Some(4), Some(5), None, None, None] {
        assert_eq!(ready(task.poll_next(&mut stream)), item);
    }
    assert_eq!((counter.remaining(), loads(&asked)), (4, [6, 1]));
}

/// It has to be asked for, unless it is known that nothing comes.
#[test]
fn the_end_of_a_stream_takes_a_unit_like_an_item_if_it_is_not_known_to_be_the_end() {
    for (units, knows, is_whole) in [
        (2, true, false),
        (3, true, true),
        (4, true, true),
        (3, false, false),
        (4, false, true),
        (5, false, true),
    ] {
        let spent = if knows { 3 } else { 4 };
        for is_tried in [true, false] {
            let counter = CounterToken::new(units);
            let mut inside = Inside::of(1..=3, true);
            if knows {
                inside = inside.knowing_its_length();
            }
            if is_tried {
                let stream = inside.stream().try_with_token(&counter);
                let all: Result<Vec<u32>, _> = block_on(stream.try_collect());
                assert_eq!(all.is_ok(), is_whole, "{units} units, known: {knows}");
            } else {
                let all: Vec<u32> = block_on(inside.stream().with_token(&counter).collect());
                assert_eq!(all.len() as u64, units.min(3));
            }
            assert_eq!(counter.remaining(), units.saturating_sub(spent));
            // Which says whether it is the whole where nothing else does.
            assert_eq!(counter.cancellation().is_some(), !is_whole);
        }
    }
}

#[test]
fn a_next_that_was_given_up_has_the_next_one_check_no_more() {
    let counter = CounterToken::new(10);
    let task = Counted::new();
    let inside = Inside::default();
    let mut stream = inside.stream().with_token(&counter);
    for item in 1..=3 {
        for _ in 0..5 {
            assert!(task.poll(&mut stream.next()).is_pending());
        }
        // Not asked for by a poll.
        drop(stream.next());
        assert_eq!(counter.remaining(), 10 - u64::from(item));
        inside.put(item);
        assert_eq!(block_on(stream.next()), Some(item));
        assert_eq!(counter.remaining(), 10 - u64::from(item));
        drop(stream.next());
        assert_eq!(counter.remaining(), 10 - u64::from(item));
    }
}

#[test]
fn nothing_but_a_poll_touches_the_counter() {
    let counter = CounterToken::new(2);
    let task = Counted::new();
    let future = std::future::pending::<()>().with_token(&counter);
    let mut stream = never_an_item().with_token(&counter);
    let mut tried = never_an_item().try_with_token(&counter);
    assert!(!future.is_terminated() && !stream.is_terminated() && !tried.is_terminated());
    let _ = (
        format!("{future:?} {stream:?} {tried:?}"),
        stream.size_hint(),
        tried.size_hint(),
    );
    drop(future.future_first());
    assert_eq!(counter.remaining(), 2);
    assert!(task.poll_next(&mut stream).is_pending());
    assert!(task.poll_next(&mut tried).is_pending());
    let _ = (
        format!("{stream:?} {tried:?}"),
        stream.size_hint(),
        tried.size_hint(),
    );
    drop((stream.into_inner(), tried.into_inner()));
    assert_eq!((counter.remaining(), counter.cancellation()), (0, None));
}

/// Each yields once, so that those that have begun are under way when the others are refused.
#[test]
fn as_many_futures_begin_as_there_are_units_on_every_runtime() {
    watchdog("futures on a counter", || {
        let mut builders = [Builder::new_current_thread(), Builder::new_multi_thread()];
        for builder in &mut builders {
            let runtime = builder.worker_threads(4).build().unwrap();
            for units in [0, 1, 99, 500] {
                let counter = CounterToken::new(units);
                let begun = Arc::new(AtomicUsize::new(0));
                let tasks = (0..200).map(|number| {
                    let begins = begun.clone();
                    let job = async move {
                        begins.fetch_add(1, Ordering::SeqCst);
                        yield_now().await;
                    };
                    let token = match number % 2 {
                        0 => Token::from(&counter),
                        _ => &counter + SimpleToken::new(),
                    };
                    runtime.spawn(job.with_token(token))
                });
                let tasks: Vec<_> = tasks.collect();
                let ended = runtime.block_on(join_all(tasks));
                let ok = ended
                    .iter()
                    .filter(|ended| matches!(ended, Ok(Ok(()))))
                    .count();
                let begun = begun.load(Ordering::SeqCst);
                assert_eq!(begun, units.min(200) as usize);
                assert!(ok <= begun && (units < 200 || ok == 200), "{ok} of {begun}");
                assert_eq!(counter.cancellation().is_some(), units < 200);
            }
        }
    });
}

#[test]
fn as_many_futures_begin_and_end_as_there_are_units_on_threads() {
    watchdog("futures on threads", || {
        const THREADS: usize = 8;
        let counter = CounterToken::new(5_000);
        let begin = Barrier::new(THREADS);
        let ended = AtomicUsize::new(0);
        let begun = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    begin.wait();
                    loop {
                        let job = async { begun.fetch_add(1, Ordering::SeqCst) };
                        if pollster::block_on(job.with_token(&counter)).is_err() {
                            break;
                        }
                        ended.fetch_add(1, Ordering::SeqCst);
                    }
                });
            }
        });
        // Those that are ready at once need the token no more.
        assert_eq!(begun.into_inner(), 5_000);
        assert_eq!(ended.into_inner(), 5_000);
    });
}

#[test]
fn as_many_items_are_taken_as_there_are_units_by_all_streams_together() {
    watchdog("streams on threads", || {
        const THREADS: usize = 8;
        let counter = CounterToken::new(5_000);
        let begin = Barrier::new(THREADS);
        let taken = AtomicUsize::new(0);
        let yielded: usize = thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS)
                .map(|_| {
                    scope.spawn(|| {
                        begin.wait();
                        let items = stream::repeat_with(|| taken.fetch_add(1, Ordering::SeqCst));
                        pollster::block_on(items.with_token(&counter).count())
                    })
                })
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .sum()
        });
        assert_eq!((yielded, taken.into_inner()), (5_000, 5_000));
    });
}

/// A condition that panics as long as that is true, and a counter of one unit.
fn panicking_beside_a_unit() -> (Token, CounterToken, Arc<AtomicBool>) {
    let (condition, panics) = panicking_condition();
    let counter = CounterToken::new(1);
    (&counter + condition, counter, panics)
}

/// Conditions come before counters, so nothing was spent by the check that has panicked, and the next poll has to.
#[test]
fn a_future_whose_check_has_panicked_does_not_begin_without_one() {
    let (token, counter, panics) = panicking_beside_a_unit();
    let task = Counted::new();
    let inside = Inside::of([7], false);
    let mut future = inside.future().with_token(&token);
    let panic = catch_unwind(AssertUnwindSafe(|| task.poll(&mut future))).unwrap_err();
    assert_eq!(panic.downcast_ref(), Some(&"a test panic in a condition"));
    assert_eq!((inside.polls(), counter.remaining()), (0, 1));
    panics.store(false, Ordering::SeqCst);
    assert_eq!(ready(task.poll(&mut future)), Ok(Some(7)));
    assert_eq!(counter.remaining(), 0);
}

#[test]
fn a_future_that_has_panicked_in_its_first_poll_begins_with_a_check() {
    let counter = CounterToken::new(2);
    let task = Counted::new();
    let inside = Inside::default();
    inside.at_next_poll(|| panic!("a test panic inside"));
    let mut future = inside.future().with_token(&counter);
    let panic = catch_unwind(AssertUnwindSafe(|| task.poll(&mut future))).unwrap_err();
    assert_eq!(panic.downcast_ref(), Some(&"a test panic inside"));
    for _ in 0..2 {
        assert!(task.poll(&mut future).is_pending());
        assert_eq!(counter.remaining(), 0);
    }
}

#[test]
fn a_stream_whose_check_has_panicked_takes_no_item_without_one() {
    let (token, counter, panics) = panicking_beside_a_unit();
    let task = Counted::new();
    let inside = Inside::of([7, 8], false);
    let mut stream = inside.stream().try_with_token(&token);
    for _ in 0..2 {
        let panic = catch_unwind(AssertUnwindSafe(|| task.poll_next(&mut stream))).unwrap_err();
        assert_eq!(panic.downcast_ref(), Some(&"a test panic in a condition"));
        assert_eq!((inside.polls(), counter.remaining()), (0, 1));
    }
    panics.store(false, Ordering::SeqCst);
    assert_eq!(ready(task.poll_next(&mut stream)), Some(Ok(7)));
    assert!(ready(task.poll_next(&mut stream)).unwrap().is_err());
    assert_eq!((inside.polls(), inside.left()), (1, 1));
}

/// As with the iterators of `cantok-core`: all of `n` items are all, where the stream tells that there are no more.
#[test]
fn an_end_that_is_known_is_not_polled_for() {
    let counter = CounterToken::new(3);
    let all = stream::iter(0..3).try_with_token(&counter);
    let all: Vec<_> = block_on(all.collect());
    assert_eq!(all, [Ok(0), Ok(1), Ok(2)]);
    assert_eq!((counter.remaining(), counter.cancellation()), (0, None));

    let counter = CounterToken::new(3);
    let unknown = stream::iter(0..3).chain(stream::poll_fn(|_| Poll::Ready(None)));
    let all: Vec<_> = block_on(unknown.try_with_token(&counter).collect());
    assert_eq!(all.len(), 4);
    assert_eq!(all[3].as_ref().err(), counter.cancellation().as_ref());

    // Also under a token that was cancelled before.
    let counter = CounterToken::new(3);
    counter.cancel();
    let none: Vec<_> = block_on(stream::empty::<u8>().try_with_token(&counter).collect());
    assert_eq!(none, []);
}

/// What says that nothing comes and waits all the same is checked when it does.
#[test]
fn an_end_that_is_known_and_does_not_come_is_polled_for() {
    let counter = CounterToken::new(1);
    let task = Counted::new();
    let mut stream = stream::pending::<u8>().try_with_token(&counter);
    for _ in 0..2 {
        assert!(task.poll_next(&mut stream).is_pending());
        assert_eq!(counter.remaining(), 0);
    }
    let mut refused = stream::pending::<u8>().try_with_token(&counter);
    assert!(ready(task.poll_next(&mut refused)).unwrap().is_err());
    assert_eq!(ready(task.poll_next(&mut refused)), None);
}
