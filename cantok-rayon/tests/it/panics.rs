//! A panic reaches the caller, as in plain rayon, and with `cancel_on_panic` it stops what is under the same token.

use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Barrier, mpsc};
use std::thread;

use crate::pools::{POOLS, pool};
use cantok_core::{ConditionToken, CounterToken, SimpleToken, Token};
use cantok_rayon::prelude::*;
use cantok_rayon::{join, scope};
use cantok_testkit::watchdog;
use rayon::iter::{once, repeat};
use rayon::prelude::*;

/// The text that `f` panics with.
fn panic_of<R>(f: impl FnOnce() -> R) -> &'static str {
    let panic = catch_unwind(AssertUnwindSafe(f)).err().expect("a panic");
    panic
        .downcast_ref::<&'static str>()
        .copied()
        .expect("a text")
}

fn fail_at(place: usize, item: usize) -> usize {
    if item == place {
        panic_any("a test panic in an item");
    }
    item
}

#[test]
fn a_panic_in_an_item_reaches_the_caller_and_leaves_the_token() {
    for pool in &*POOLS {
        let token = SimpleToken::new();
        let items = || (0..1_000).into_par_iter();
        let behind = |item| fail_at(500, item);
        let runs: [&(dyn Fn() -> usize + Sync); 6] = [
            &|| items().with_token(&token).map(behind).sum(),
            &|| items().map(behind).with_token(&token).sum(),
            &|| {
                items()
                    .try_with_token(&token)
                    .map(|item| behind(item.unwrap()))
                    .sum()
            },
            &|| items().map(behind).try_with_token(&token).count(),
            &|| items().map(behind).try_with_token(&token).rev().count(),
            &|| {
                items()
                    .filter(|item| behind(*item) > 0)
                    .try_with_token(&token)
                    .count()
            },
        ];
        for run in runs {
            assert_eq!(panic_of(|| pool.install(run)), "a test panic in an item");
            assert!(token.keep_on() && token.cancellation().is_none());
            assert_eq!(pool.install(|| items().with_token(&token).count()), 1_000);
        }
    }
}

#[test]
fn a_panic_in_a_condition_reaches_the_caller_and_leaves_the_token() {
    for pool in &*POOLS {
        let calls = AtomicUsize::new(0);
        let token = ConditionToken::new(move || {
            if calls.fetch_add(1, Ordering::Relaxed) == 500 {
                panic_any("a test panic in a condition");
            }
            false
        });
        let items = || (0..1_000).into_par_iter();
        let panic = panic_of(|| pool.install(|| items().with_token(&token).count()));
        assert_eq!(panic, "a test panic in a condition");
        assert!(token.keep_on());
        assert_eq!(pool.install(|| items().with_token(&token).count()), 1_000);
        assert_eq!(
            pool.install(|| items().try_with_token(&token).rev().count()),
            1_000
        );
    }
}

/// A value of which a clone cannot be made.
struct NoClone;

impl Clone for NoClone {
    fn clone(&self) -> Self {
        panic_any("a test panic in an item");
    }
}

/// An item whose end is a panic.
struct NoDrop(usize);

impl Drop for NoDrop {
    fn drop(&mut self) {
        fail_at(500, self.0);
    }
}

#[test]
fn cancel_on_panic_cancels_wherever_the_panic_comes_from() {
    fn items() -> rayon::range::Iter<usize> {
        (0..1_000).into_par_iter()
    }
    fn fail(item: usize) -> usize {
        fail_at(500, item)
    }
    fn fail_now() -> usize {
        panic_any("a test panic in an item");
    }
    type Run = fn(&Token) -> usize;
    let runs: &[(&str, Run)] = &[
        ("map, after", |token| {
            items().cancel_on_panic(token).map(fail).sum()
        }),
        ("map, before", |token| {
            items().map(fail).cancel_on_panic(token).sum()
        }),
        ("filter, after", |token| {
            items()
                .cancel_on_panic(token)
                .filter(|item| fail(*item) > 0)
                .count()
        }),
        ("filter, before", |token| {
            items()
                .filter(|item| fail(*item) > 0)
                .cancel_on_panic(token)
                .count()
        }),
        ("flat_map, after", |token| {
            items()
                .cancel_on_panic(token)
                .flat_map(|item| [fail(item)])
                .count()
        }),
        ("flat_map, before", |token| {
            items()
                .flat_map(|item| [fail(item)])
                .cancel_on_panic(token)
                .count()
        }),
        ("flatten, before", |token| {
            items()
                .map(|item| [fail(item)])
                .flatten()
                .cancel_on_panic(token)
                .count()
        }),
        ("flat_map_iter, before", |token| {
            items()
                .flat_map_iter(|item| [fail(item)])
                .cancel_on_panic(token)
                .count()
        }),
        ("par_bridge, before", |token| {
            (0..1_000)
                .map(fail)
                .par_bridge()
                .cancel_on_panic(token)
                .count()
        }),
        ("zip, before", |token| {
            items()
                .zip(items().map(fail))
                .cancel_on_panic(token)
                .count()
        }),
        ("reduce", |token| {
            let items = items().with_max_len(1).cancel_on_panic(token);
            items.reduce(|| 0, |_, _| fail_now())
        }),
        ("identity", |token| {
            items()
                .cancel_on_panic(token)
                .reduce(fail_now, |a, b| a + b)
        }),
        ("fold's identity, after", |token| {
            items()
                .cancel_on_panic(token)
                .fold(fail_now, |a, b| a + b)
                .sum()
        }),
        ("for_each_init, after", |token| {
            items()
                .cancel_on_panic(token)
                .for_each_init(fail_now, |_, _| ());
            0
        }),
        ("map_init, before", |token| {
            items()
                .map_init(fail_now, |_, item| item)
                .cancel_on_panic(token)
                .count()
        }),
        ("a clone, after", |token| {
            let items = items().with_max_len(1).cancel_on_panic(token);
            items.for_each_with(NoClone, |_, _| ());
            0
        }),
        ("a clone, before", |token| {
            let items = items().with_max_len(1).map_with(NoClone, |_, item| item);
            items.cancel_on_panic(token).count()
        }),
        ("a drop, after", |token| {
            items().cancel_on_panic(token).map(NoDrop).for_each(drop);
            0
        }),
        ("a split, before", |token| {
            let splits = rayon::iter::split(0, |_: usize| (fail_now(), None));
            splits.cancel_on_panic(token).count()
        }),
        ("a condition", |token| {
            let condition = ConditionToken::new(|| fail_now() == 0);
            items().with_token(condition).cancel_on_panic(token).count()
        }),
        ("a nested iterator", |token| {
            let nested = |item| (0..item).into_par_iter().map(fail).count();
            items().cancel_on_panic(token).map(nested).sum()
        }),
    ];
    // The panics of several threads at once are all meant.
    for pool in &*POOLS {
        for (place, run) in runs {
            let token = Token::from(SimpleToken::new());
            let panic = panic_of(|| pool.install(|| run(&token)));
            assert_eq!(panic, "a test panic in an item");
            let error = token
                .cancellation()
                .unwrap_or_else(|| panic!("not cancelled: {place}"));
            assert!(error.is_from(&token));
            assert_eq!(error.to_string(), "cancelled: an item panicked");
        }
    }
}

#[test]
fn a_panic_after_the_run_does_not_cancel() {
    let token = SimpleToken::new();
    let items = (0..1_000).into_par_iter().cancel_on_panic(&token);
    let panic = panic_of(|| {
        let all: Vec<usize> = items.collect();
        all.into_iter()
            .map(|item| fail_at(500, item))
            .sum::<usize>()
    });
    assert_eq!(panic, "a test panic in an item");
    assert!(token.cancellation().is_none());
}

/// Not only at the end, when the panic has come to the caller.
#[test]
fn a_panic_in_flat_map_stops_the_siblings_at_once() {
    watchdog("siblings of a panic in flat_map", || {
        let token = SimpleToken::new();
        let is_in = Barrier::new(2);
        let panic = panic_of(|| {
            pool(2).install(|| {
                let items = (0..2).into_par_iter().with_max_len(1).flat_map(|item| {
                    is_in.wait();
                    if item == 0 {
                        panic_any("a test panic in an item");
                    }
                    // Endless, but for the token.
                    repeat(())
                });
                items.cancel_on_panic(&token).count()
            })
        });
        assert_eq!(panic, "a test panic in an item");
    });
}

#[test]
fn a_panic_stops_the_siblings_and_all_under_the_token() {
    watchdog("endless siblings of an item that panics", || {
        for threads in [1, 2, 8] {
            let token = SimpleToken::new();
            let started = AtomicUsize::new(0);
            let all_in = Barrier::new(threads);
            let other = repeat(()).with_token(&token);
            let panic = panic_of(|| {
                pool(threads).install(|| {
                    repeat(()).cancel_on_panic(&token).for_each(|()| {
                        let number = started.fetch_add(1, Ordering::SeqCst);
                        if number < threads {
                            all_in.wait();
                        }
                        if number == 0 {
                            panic_any("a test panic in an item");
                        }
                    });
                });
            });
            assert_eq!(panic, "a test panic in an item");
            // Endless, but for the token.
            assert_eq!(other.count(), 0);
        }
    });
}

#[test]
fn without_a_panic_cancel_on_panic_is_with_token() {
    for pool in &*POOLS {
        let token = CounterToken::new(10);
        let items = (0..1_000).into_par_iter().cancel_on_panic(&token);
        assert_eq!(pool.install(|| items.count()), 10);
        let token = SimpleToken::new();
        let items = (0..1_000).into_par_iter().cancel_on_panic(&token);
        assert_eq!(pool.install(|| items.sum::<usize>()), 499_500);
        assert!(token.cancellation().is_none());
    }
}

/// Not only when the panic has come to the caller, which waits for all other parts.
#[test]
fn a_panic_in_what_combines_results_stops_the_siblings_at_once() {
    watchdog("endless siblings of a panic in reduce", || {
        for pool in &*POOLS {
            let token = SimpleToken::new();
            let panic = panic_of(|| {
                pool.install(|| {
                    let items = (0..2).into_par_iter().with_max_len(1).chain(repeat(2));
                    let items = items.cancel_on_panic(&token);
                    // 0 and 1 come from two parts, and the others are endless.
                    items.reduce_with(|left, right| match (left, right) {
                        (0, 1) => panic_any("a test panic in an item"),
                        _ => right,
                    })
                })
            });
            assert_eq!(panic, "a test panic in an item");
        }
    });
}

#[test]
fn a_panic_in_a_job_that_is_run_by_a_panic_stops_the_siblings_at_once() {
    watchdog("endless siblings of a panic within a panic", || {
        for pool in &*POOLS {
            let token = SimpleToken::new();
            let panic = panic_of(|| {
                pool.install(|| {
                    let _runs = OnDrop(|| {
                        let items = once(500).chain(repeat(0)).cancel_on_panic(&token);
                        let panic = panic_of(|| items.for_each(|item| _ = fail_at(500, item)));
                        assert_eq!(panic, "a test panic in an item");
                    });
                    panic_any("a test panic around a job");
                })
            });
            assert_eq!(panic, "a test panic around a job");
            assert!(token.is_cancelled());
        }
    });
}

/// Where a consumer that is kept by the base cannot tell that panic from the one around.
#[test]
fn a_panic_in_a_job_that_is_run_by_a_panic_cancels_in_the_end_at_the_latest() {
    for pool in &*POOLS {
        let token = SimpleToken::new();
        let panic = panic_of(|| {
            pool.install(|| {
                let _runs = OnDrop(|| {
                    let items = (0..1_000).into_par_iter();
                    let items = items.flat_map(|item| [fail_at(500, item)]);
                    let panic = panic_of(|| items.cancel_on_panic(&token).count());
                    assert_eq!(panic, "a test panic in an item");
                });
                panic_any("a test panic around a job");
            })
        });
        assert_eq!(panic, "a test panic around a job");
        assert!(token.is_cancelled());
    }
}

/// Runs a job when it is dropped.
struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// A destructor that runs a job while its thread unwinds: nothing in that job has panicked.
#[test]
fn a_job_that_is_run_by_a_panic_is_not_cancelled_by_it() {
    // On its own thread, and on one of the pool.
    for pool in POOLS.iter().map(Some).chain([None]) {
        let token = Token::from(SimpleToken::new());
        let mut sums = Vec::new();
        let job = || {
            let _runs = OnDrop(|| {
                let items = || (0..1_000).into_par_iter();
                sums.push(items().cancel_on_panic(&token).sum::<usize>());
                let nested = items().flat_map(|item| [item]);
                sums.push(nested.cancel_on_panic(&token).sum::<usize>());
            });
            panic_any("a test panic around a job");
        };
        let panic = match pool {
            Some(pool) => panic_of(|| pool.install(job)),
            None => panic_of(job),
        };
        assert_eq!(panic, "a test panic around a job");
        assert_eq!(sums, [499_500; 2]);
        assert!(token.cancellation().is_none());
    }
}

/// A thread that unwinds takes up a part of another job, in which nothing panics.
#[test]
fn a_job_that_is_helped_by_a_thread_that_unwinds_is_not_cancelled() {
    /// Counts some items, of which the first waits until a thread that unwinds has taken the second.
    type Run = fn(&AtomicBool, &Token) -> usize;
    fn first(is_taken: &AtomicBool) {
        while !is_taken.load(Ordering::SeqCst) {
            thread::yield_now();
        }
    }
    fn second(is_taken: &AtomicBool) {
        is_taken.store(thread::panicking(), Ordering::SeqCst);
    }
    let runs: [(usize, Run); 3] = [
        (2, |is_taken, token| {
            let items = once(()).map(|()| first(is_taken));
            let items = items.chain(once(()).map(|()| second(is_taken)));
            items.cancel_on_panic(token).count()
        }),
        (3, |is_taken, token| {
            let items = once(()).map(|()| first(is_taken));
            let behind = once(()).map(|()| second(is_taken)).chain(once(()));
            items.chain(behind).cancel_on_panic(token).count()
        }),
        (3, |is_taken, token| {
            let items = (0..2).into_par_iter().with_max_len(1);
            let items = items.flat_map(|item| match item {
                0 => vec![first(is_taken)],
                _ => vec![second(is_taken); 2],
            });
            items.cancel_on_panic(token).count()
        }),
    ];
    for (expected, run) in runs {
        watchdog("a job of which another thread takes a part", move || {
            let token = Token::from(SimpleToken::new());
            let pool = pool(2);
            let (starts, start) = mpsc::channel();
            let (is_over, over) = mpsc::channel::<()>();
            pool.spawn(move || {
                let panic = panic_of(|| {
                    let _works = OnDrop(|| {
                        // The job has started, so on the other thread. Works on what there is until it is over.
                        start.recv().unwrap();
                        while over.try_recv() == Err(mpsc::TryRecvError::Empty) {
                            rayon::yield_now();
                        }
                    });
                    panic_any("a test panic around a job");
                });
                assert_eq!(panic, "a test panic around a job");
            });
            let count = pool.install(|| {
                starts.send(()).unwrap();
                run(&AtomicBool::new(false), &token)
            });
            drop(is_over);
            assert_eq!((count, token.cancellation()), (expected, None));
        });
    }
}

#[test]
fn a_callback_that_panics_while_a_panic_cancels_is_swallowed() {
    for pool in &*POOLS {
        let token = SimpleToken::new();
        let registration = token.on_cancel(|_| panic_any("a test panic in a callback"));
        let items = (0..1_000).into_par_iter().cancel_on_panic(&token);
        let panic = panic_of(|| pool.install(|| items.map(|item| fail_at(3, item)).count()));
        assert_eq!(panic, "a test panic in an item");
        assert!(token.is_cancelled());
        drop(registration);
    }
}

#[test]
fn jobs_and_joins_pass_a_panic_on() {
    for pool in &*POOLS {
        let token = SimpleToken::new();
        let fail = || -> usize { panic_any("a test panic in a job") };
        assert_eq!(
            panic_of(|| pool.install(|| join(&token, fail, || 1))),
            "a test panic in a job"
        );
        assert_eq!(
            panic_of(|| pool.install(|| join(&token, || 1, fail))),
            "a test panic in a job"
        );
        let done = AtomicUsize::new(0);
        let panic = panic_of(|| {
            pool.install(|| {
                scope(&token, |s| {
                    for number in 0..10 {
                        let done = &done;
                        s.spawn(move |_| {
                            fail_at(3, number);
                            done.fetch_add(1, Ordering::Relaxed);
                        });
                    }
                })
            })
        });
        assert_eq!(panic, "a test panic in an item");
        assert_eq!(done.into_inner(), 9);
        assert!(token.cancellation().is_none());

        let condition = ConditionToken::new(|| panic_any("a test panic in a condition"));
        let joined = || join(&condition, || 1, || 2);
        assert_eq!(
            panic_of(|| pool.install(joined)),
            "a test panic in a condition"
        );
    }
}
