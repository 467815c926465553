//! With one check for many items counts stay exact, and a stop comes at most so many items later.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};

use crate::pools::{POOLS, pool};
use cantok_core::{CancellationError, ConditionToken, CounterToken, SimpleToken, Token};
use cantok_rayon::prelude::*;
use cantok_testkit::watchdog;
use indicatif::{ParallelProgressIterator, ProgressBar};
use rayon::prelude::*;

const LEN: usize = 500;
const EVERY: [usize; 4] = [1, 7, 1024, usize::MAX];
const UNITS: [usize; 8] = [0, 1, 6, 7, 8, LEN - 1, LEN, LEN + 1];

fn numbers() -> rayon::range::Iter<usize> {
    (0..LEN).into_par_iter()
}

/// Checks how many of `LEN` items pass under a counter, for each number of units and each size of block.
fn each_counter(count: impl Fn(&Token, usize) -> usize + Sync) {
    for pool in &*POOLS {
        for (units, every) in UNITS
            .iter()
            .flat_map(|units| EVERY.map(|every| (*units, every)))
        {
            let counter = CounterToken::new(units as u64);
            let token = &counter + SimpleToken::new();
            let passed = pool.install(|| count(&token, every));
            assert_eq!(passed, units.min(LEN), "{units} units, {every} items");
            assert_eq!(counter.remaining(), units.saturating_sub(LEN) as u64);
            assert_eq!(token.cancellation().is_some(), units < LEN);
        }
    }
}

#[test]
fn a_counter_lets_exactly_its_number_of_items_pass() {
    each_counter(|token, every| numbers().with_token(token).check_every(every).count());
    each_counter(|token, every| {
        let items = numbers().with_max_len(1).with_token(token);
        items.check_every(every).count()
    });
    each_counter(|token, every| {
        let results = numbers().try_with_token(token).check_every(every);
        results.filter(Result::is_ok).count()
    });
    each_counter(|token, every| {
        let results = numbers().try_with_token(token).check_every(every);
        let results: Vec<_> = results.collect();
        results.into_iter().filter(Result::is_ok).count()
    });
    // Pulled rather than pushed.
    each_counter(|token, every| {
        let results = numbers().try_with_token(token).check_every(every).rev();
        results
            .zip(numbers())
            .filter(|(result, _)| result.is_ok())
            .count()
    });
}

#[test]
fn a_counter_is_exact_for_an_unknown_number_of_items() {
    each_counter(|token, every| {
        let items = (0..LEN * 2).into_par_iter().filter(|item| item % 2 == 0);
        items.with_token(token).check_every(every).count()
    });
    each_counter(|token, every| {
        let items = (0..LEN / 5).into_par_iter().flat_map_iter(|_| 0..5);
        items.with_token(token).check_every(every).count()
    });
    each_counter(|token, every| {
        (0..LEN)
            .par_bridge()
            .with_token(token)
            .check_every(every)
            .count()
    });
    each_counter(|token, every| {
        let items = (0..LEN as u64).into_par_iter();
        items.with_token(token).check_every(every).count()
    });
    each_counter(|token, every| {
        let results = (0..LEN as u64).into_par_iter().try_with_token(token);
        results.check_every(every).filter(Result::is_ok).count()
    });
}

/// What a block does not use is there for others: after a panic, and after a search that has found.
#[test]
fn a_block_gives_back_the_units_of_items_that_do_not_pass() {
    const UNITS: u64 = 10_000;
    let each = |run: &(dyn Fn(&Token, usize, &AtomicUsize) + Sync)| {
        for pool in &*POOLS {
            for every in EVERY {
                let counter = CounterToken::new(UNITS);
                let started = AtomicUsize::new(0);
                pool.install(|| run(&counter, every, &started));
                let spent = UNITS - counter.remaining();
                assert_eq!(spent, started.into_inner() as u64, "every {every}");
                assert!(counter.cancellation().is_none());
            }
        }
    };
    let fail = |started: &AtomicUsize, item: usize| {
        started.fetch_add(1, Ordering::Relaxed);
        if item % 100 == 50 {
            resume_unwind(Box::new("a test panic in an item"));
        }
        item
    };
    let assert_panics = |run: &dyn Fn() -> usize| {
        assert!(catch_unwind(AssertUnwindSafe(run)).is_err());
    };
    each(&|token, every, started| {
        let items = numbers().with_token(token).check_every(every);
        assert_panics(&|| items.clone().map(|item| fail(started, item)).sum());
    });
    each(&|token, every, started| {
        let items = numbers().with_token(token).check_every(every);
        assert_panics(&|| {
            items
                .clone()
                .filter(|item| fail(started, *item) > 0)
                .count()
        });
    });
    each(&|token, every, started| {
        let items = numbers().try_with_token(token).check_every(every);
        assert_panics(&|| {
            let items = items.clone().map(|item| fail(started, item.unwrap()));
            items.collect::<Vec<_>>().len()
        });
    });
    each(&|token, every, started| {
        let items = numbers().try_with_token(token).check_every(every).rev();
        assert_panics(&|| items.clone().map(|item| fail(started, item.unwrap())).sum());
    });
    // A base whose folder does not know how many items it has.
    each(&|token, every, started| {
        let items = numbers().panic_fuse().with_token(token).check_every(every);
        assert_panics(&|| items.clone().map(|item| fail(started, item)).sum());
    });
    each(&|token, every, started| {
        let items = numbers().filter(|item| item % 2 == 0).with_token(token);
        let items = items.check_every(every);
        assert_panics(&|| items.clone().map(|item| fail(started, item)).sum());
    });
}

/// A search drops what its other threads have in hand when one of them has found.
#[test]
fn a_block_gives_back_what_a_search_does_not_want() {
    for pool in &*POOLS {
        for every in EVERY {
            let counter = CounterToken::new(10_000);
            let started = AtomicUsize::new(0);
            let items = numbers().with_token(&counter).check_every(every);
            let found = pool.install(|| {
                items.find_any(|item| {
                    started.fetch_add(1, Ordering::Relaxed);
                    item % 100 == 50
                })
            });
            assert!(found.is_some());
            let dropped = 10_000 - counter.remaining() as usize - started.into_inner();
            assert!(dropped <= pool.current_num_threads(), "{dropped}");
        }
    }
}

#[test]
fn two_jobs_share_a_counter() {
    for pool in &*POOLS {
        for every in EVERY {
            let counter = CounterToken::new(700);
            let count = || numbers().with_token(&counter).check_every(every).count();
            let single = || numbers().with_token(&counter).count();
            let (left, right) = pool.join(count, count);
            assert_eq!(left + right, 700);
            assert!(counter.cancellation().is_some());
            assert_eq!(pool.install(single), 0);

            let counter = CounterToken::new(700);
            let count = || numbers().with_token(&counter).check_every(every).count();
            let single = || numbers().with_token(&counter).count();
            let (left, right) = pool.join(count, single);
            assert_eq!(left + right, 700);

            // Enough for both: no check is refused.
            let counter = CounterToken::new(LEN as u64 * 2);
            let count = || numbers().with_token(&counter).check_every(every).count();
            assert_eq!(pool.join(count, count), (LEN, LEN));
            assert_eq!(counter.remaining(), 0);
            assert!(counter.cancellation().is_none());
        }
    }
}

/// Every thread is in an item when the token is cancelled. What is started afterwards is counted.
#[test]
fn after_a_cancel_each_thread_starts_at_most_a_block() {
    struct Trap {
        token: SimpleToken,
        ready: Barrier,
        cancelled: Barrier,
        started: AtomicUsize,
        threads: usize,
    }
    impl Trap {
        fn enter(&self) {
            if self.started.fetch_add(1, Ordering::SeqCst) < self.threads {
                if self.ready.wait().is_leader() {
                    self.token.cancel();
                }
                self.cancelled.wait();
            }
        }
    }
    type Job = fn(&Trap, usize);
    let jobs: [Job; 5] = [
        |trap, every| {
            let items = rayon::iter::repeat_n((), 1_000_000).with_token(&trap.token);
            items.check_every(every).for_each(|()| trap.enter());
        },
        |trap, every| {
            let items = (0..1_000_000).into_par_iter().map(|_| trap.enter());
            items
                .with_token(&trap.token)
                .check_every(every)
                .for_each(drop);
        },
        |trap, every| {
            let results = rayon::iter::repeat_n((), 1_000_000).try_with_token(&trap.token);
            let results = results
                .check_every(every)
                .map(|result| result.map(|()| trap.enter()));
            results.collect::<Result<Vec<_>, _>>().unwrap_err();
        },
        |trap, every| {
            let results = rayon::iter::repeat_n((), 1_000_000).try_with_token(&trap.token);
            let results = results.check_every(every).rev();
            let _ = results.try_for_each(|result| result.map(|()| trap.enter()));
        },
        |trap, every| {
            let items = rayon::iter::repeat(()).with_token(&trap.token);
            items.check_every(every).for_each(|()| trap.enter());
        },
    ];
    for threads in [1, 2, 8] {
        for every in [1, 7, 1024] {
            for job in jobs {
                let started = watchdog("items that are stopped", move || {
                    let trap = Trap {
                        token: SimpleToken::new(),
                        ready: Barrier::new(threads),
                        cancelled: Barrier::new(threads),
                        started: AtomicUsize::new(0),
                        threads,
                    };
                    // Its own: traps that share the threads of a pool would wait for each other.
                    pool(threads).install(|| job(&trap, every));
                    trap.started.into_inner()
                });
                assert!(started >= threads);
                assert!(
                    started <= threads * every,
                    "{started} of {threads} times {every}"
                );
            }
        }
    }
}

#[test]
fn a_condition_is_called_once_for_each_block() {
    let calls = Arc::new(AtomicUsize::new(0));
    let token = ConditionToken::new({
        let calls = Arc::clone(&calls);
        move || {
            calls.fetch_add(1, Ordering::Relaxed);
            false
        }
    });
    let called = || calls.swap(0, Ordering::Relaxed);
    pool(1).install(|| {
        // Of one part, so that blocks end nowhere else.
        let numbers = || numbers().with_min_len(LEN);
        assert_eq!(numbers().with_token(&token).check_every(7).count(), LEN);
        assert_eq!(called(), LEN.div_ceil(7));
        assert_eq!(numbers().try_with_token(&token).check_every(7).count(), LEN);
        assert_eq!(called(), LEN.div_ceil(7));
        assert_eq!(
            numbers()
                .try_with_token(&token)
                .check_every(7)
                .rev()
                .count(),
            LEN
        );
        assert_eq!(called(), LEN.div_ceil(7));
        let even = numbers().filter(|item| item % 2 == 0);
        assert_eq!(even.with_token(&token).check_every(7).count(), LEN / 2);
        assert!(called() <= (LEN / 2).div_ceil(7) + 1);
    });
}

#[test]
fn a_counted_condition_stops_all_at_once() {
    for pool in &*POOLS {
        for every in EVERY {
            let counter = CounterToken::new(400);
            let condition = ConditionToken::new({
                let counter = counter.clone();
                move || counter.remaining() < 200
            });
            let token = &counter + &condition;
            let items = numbers().with_token(&token).check_every(every);
            let passed = pool.install(|| items.count());
            assert_eq!(passed as u64, 400 - counter.remaining());
            if every == 1 {
                assert!(condition.is_cancelled() && passed >= 201);
            }
        }
    }
}

#[test]
fn length_and_order_stay() {
    for pool in &*POOLS {
        for every in EVERY {
            let results = || numbers().try_with_token(Token::never()).check_every(every);
            assert_eq!((results().len(), results().opt_len()), (LEN, Some(LEN)));
            let all: Result<Vec<_>, CancellationError> = pool.install(|| results().collect());
            assert!(all.unwrap().into_iter().eq(0..LEN));
            let mut list = Vec::new();
            pool.install(|| {
                let results = results().map(Result::unwrap).enumerate();
                results.collect_into_vec(&mut list);
            });
            assert!(list.into_iter().eq((0..LEN).enumerate()));
            let items = numbers().with_token(Token::never()).check_every(every);
            assert_eq!(items.opt_len(), None);
            let all: Vec<_> = pool.install(|| items.collect());
            assert!(all.into_iter().eq(0..LEN));
        }
    }
}

#[test]
fn a_bar_counts_what_passes() {
    for pool in &*POOLS {
        for every in EVERY {
            for units in [0, 1, LEN / 2, LEN] {
                let (before, after) = (ProgressBar::hidden(), ProgressBar::hidden());
                let items = numbers().progress_with(before.clone());
                let items = items.with_token(CounterToken::new(units as u64));
                let items = items.check_every(every).progress_with(after.clone());
                assert_eq!(pool.install(|| items.count()), units);
                assert_eq!(before.position(), units as u64);
                assert_eq!(after.position(), units as u64);

                let bar = ProgressBar::hidden();
                let results = numbers().try_with_token(CounterToken::new(units as u64));
                let results = results.check_every(every).progress_with(bar.clone());
                let results: Vec<_> = pool.install(|| results.enumerate().collect());
                assert_eq!((results.len(), bar.position()), (LEN, LEN as u64));
                let passed = results.iter().filter(|(_, result)| result.is_ok());
                assert_eq!(passed.count(), units);
            }
        }
    }
}

#[test]
fn making_and_cloning_spends_nothing_and_it_shows_its_number() {
    let counter = CounterToken::new(3);
    let quiet = numbers().with_token(&counter).check_every(7);
    let tried = numbers().try_with_token(&counter).check_every(7);
    drop((quiet.clone(), tried.clone()));
    assert!(format!("{quiet:?} {tried:?}").contains('7'));
    assert_eq!(counter.remaining(), 3);
    assert_eq!(
        (0..0)
            .into_par_iter()
            .with_token(&counter)
            .check_every(7)
            .count(),
        0
    );
    assert_eq!(counter.remaining(), 3);
}

#[test]
fn a_check_for_every_0_items_panics() {
    let panics = |make: &dyn Fn()| catch_unwind(AssertUnwindSafe(make)).is_err();
    assert!(panics(&|| drop(
        numbers().with_token(Token::never()).check_every(0)
    )));
    assert!(panics(&|| drop(
        numbers().try_with_token(Token::never()).check_every(0)
    )));
    let even = || numbers().filter(|item| item % 2 == 0);
    assert!(panics(&|| drop(
        even().with_token(Token::never()).check_every(0)
    )));
    assert!(panics(&|| drop(
        even().try_with_token(Token::never()).check_every(0)
    )));
}
