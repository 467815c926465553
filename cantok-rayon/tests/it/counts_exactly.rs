//! Each item that arrives is one check, and nothing else is.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::pools::POOLS;
use cantok_core::{CancellationError, ConditionToken, CounterToken, SimpleToken, Token};
use cantok_rayon::prelude::*;
use rayon::prelude::*;

const LEN: usize = 500;

/// Numbers of units around all that matters: none, the checks after which a token arms itself, all items, and more.
const UNITS: [usize; 9] = [0, 1, 2, 63, 64, 65, LEN - 1, LEN, LEN + 1];

/// How many of the items of `base` pass under a counter, for each number of units, by each adapter.
fn each_counter<I>(base: impl Fn() -> I + Sync)
where
    I: ParallelIterator,
{
    for pool in &*POOLS {
        for units in UNITS {
            let passing: [&(dyn Fn(&Token) -> usize + Sync); 4] = [
                &|token| base().with_token(token).count(),
                &|token| base().cancel_on_panic(token).map(drop).count(),
                &|token| base().try_with_token(token).filter(Result::is_ok).count(),
                // As a vector, into which rayon writes by place where it can.
                &|token| {
                    let results: Vec<_> = base().try_with_token(token).collect();
                    results.into_iter().filter(Result::is_ok).count()
                },
            ];
            for passing in passing {
                let counter = CounterToken::new(units as u64);
                let token = &counter + SimpleToken::new();
                let passed = pool.install(|| passing(&token));
                assert_eq!(passed, units.min(LEN), "of {units} units");
                assert_eq!(counter.remaining(), units.saturating_sub(LEN) as u64);
                // As many units as items, so none was refused.
                assert_eq!(token.cancellation().is_some(), units < LEN);
            }
        }
    }
}

#[test]
fn a_counter_lets_exactly_its_number_of_items_pass() {
    each_counter(|| (0..LEN).into_par_iter());
    each_counter(|| vec![1_u8; LEN].into_par_iter());
    each_counter(|| (0..LEN).into_par_iter().with_max_len(1));
    each_counter(|| (0..LEN).into_par_iter().map(|item| item.to_string()));
}

#[test]
fn a_counter_counts_what_arrives_from_any_base() {
    each_counter(|| (0..LEN * 2).into_par_iter().filter(|item| item % 2 == 0));
    each_counter(|| (0..LEN / 5).into_par_iter().flat_map(|_| 0..5));
    each_counter(|| (0..LEN / 5).into_par_iter().flat_map_iter(|_| 0..5));
    each_counter(|| (0..LEN).par_bridge());
    each_counter(|| (0..LEN / 2).into_par_iter().chain(0..LEN / 2));
    each_counter(|| (0..LEN * 7).into_par_iter().chunks(7));
    each_counter(|| rayon::iter::repeat_n('x', LEN));
    each_counter(|| rayon::iter::repeat('x').take_any(LEN));
    each_counter(|| {
        // However rayon splits it up.
        let splits = rayon::iter::split(0..LEN, |range: Range<usize>| {
            let middle = range.start + range.len() / 2;
            match range.len() {
                0 | 1 => (range, None),
                _ => (range.start..middle, Some(middle..range.end)),
            }
        });
        splits.flat_map_iter(|range| range)
    });
}

#[test]
fn a_counter_counts_through_producers() {
    for pool in &*POOLS {
        for units in UNITS {
            pool.install(|| {
                let check = |count: &dyn Fn(&CounterToken) -> usize| {
                    let counter = CounterToken::new(units as u64);
                    assert_eq!(count(&counter), units.min(LEN), "of {units} units");
                    assert_eq!(counter.remaining(), units.saturating_sub(LEN) as u64);
                };
                let numbers = || (0..LEN).into_par_iter();
                check(&|token| {
                    let results = numbers().try_with_token(token).enumerate();
                    results.filter(|(_, result)| result.is_ok()).count()
                });
                check(&|token| {
                    let results = numbers().try_with_token(token).zip(numbers());
                    results.filter(|(result, _)| result.is_ok()).count()
                });
                check(&|token| {
                    numbers()
                        .try_with_token(token)
                        .rev()
                        .filter(Result::is_ok)
                        .count()
                });
                check(&|token| {
                    let chunks = numbers().try_with_token(token).chunks(7);
                    chunks.flatten().filter(Result::is_ok).count()
                });
            });
        }
    }
}

#[test]
fn items_that_are_skipped_are_pulled() {
    for pool in &*POOLS {
        let counter = CounterToken::new(LEN as u64 * 2);
        let results = || (0..LEN).into_par_iter().try_with_token(&counter);
        pool.install(|| results().skip(LEN / 2).count());
        assert_eq!(counter.remaining(), LEN as u64);
        pool.install(|| results().step_by(2).count());
        assert_eq!(counter.remaining(), 0);
    }
}

#[test]
fn what_follows_may_ask_for_more_than_it_passes_on() {
    for pool in &*POOLS {
        let spent = |run: &(dyn Fn(&CounterToken) -> usize + Sync)| {
            let counter = CounterToken::new(10_000);
            let passed = pool.install(|| run(&counter));
            (passed, 10_000 - counter.remaining() as usize)
        };
        let items = || (0..LEN).into_par_iter();
        let long_left = spent(&|token| items().try_with_token(token).zip(0..LEN / 2).count());
        assert_eq!(long_left, (LEN / 2, LEN / 2 + 1));
        let long_right = spent(&|token| {
            (0..LEN / 2)
                .into_par_iter()
                .zip(items().try_with_token(token))
                .count()
        });
        assert_eq!(long_right, (LEN / 2, LEN / 2));
        let (passed, asked) = spent(&|token| items().with_token(token).take_any(10).count());
        assert!(
            passed == 10 && (10..=10 + pool.current_num_threads()).contains(&asked),
            "{asked}"
        );
    }
}

#[test]
fn a_condition_is_called_once_for_each_item() {
    for pool in &*POOLS {
        let calls = Arc::new(AtomicUsize::new(0));
        let token = ConditionToken::new({
            let calls = Arc::clone(&calls);
            move || {
                calls.fetch_add(1, Ordering::Relaxed);
                false
            }
        });
        let called = || calls.swap(0, Ordering::Relaxed);
        pool.install(|| {
            let numbers = || (0..LEN).into_par_iter();
            assert_eq!(numbers().with_token(&token).count(), LEN);
            assert_eq!(called(), LEN);
            assert_eq!(numbers().cancel_on_panic(&token).count(), LEN);
            assert_eq!(called(), LEN);
            assert_eq!(numbers().try_with_token(&token).count(), LEN);
            assert_eq!(called(), LEN);
            assert_eq!(numbers().try_with_token(&token).rev().count(), LEN);
            assert_eq!(called(), LEN);
            assert_eq!(
                numbers()
                    .filter(|item| item % 2 == 0)
                    .with_token(&token)
                    .count(),
                LEN / 2
            );
            assert_eq!(called(), LEN / 2);
            assert_eq!(numbers().filter(|_| false).with_token(&token).count(), 0);
            assert_eq!(called(), 0);
        });
    }
}

#[test]
fn several_iterators_share_one_counter() {
    for pool in &*POOLS {
        let counter = CounterToken::new(700);
        let count = || (0..LEN).into_par_iter().with_token(&counter).count();
        let (left, right) = pool.join(count, count);
        assert_eq!(left + right, 700);
        assert!(counter.cancellation().is_some());
    }
}

#[test]
fn of_several_counters_the_smallest_decides() {
    for pool in &*POOLS {
        let (large, small) = (CounterToken::new(400), CounterToken::new(20));
        let items = (0..LEN)
            .into_par_iter()
            .with_token(&large)
            .with_token(&small);
        assert_eq!(pool.install(|| items.count()), 20);

        let results = (0..LEN)
            .into_par_iter()
            .try_with_token(CounterToken::new(20));
        let results: Result<Vec<_>, CancellationError> =
            pool.install(|| results.with_token(CounterToken::new(10)).collect());
        // Ten results passed, all of them items.
        assert_eq!(results.unwrap().len(), 10);
    }
}

#[test]
fn a_nested_iterator_spends_from_the_same_counter() {
    for pool in &*POOLS {
        let counter = CounterToken::new(100);
        let passed = AtomicUsize::new(0);
        pool.install(|| {
            (0..LEN).into_par_iter().with_token(&counter).for_each(|_| {
                passed.fetch_add(1, Ordering::Relaxed);
                (0..LEN).into_par_iter().with_token(&counter).for_each(|_| {
                    passed.fetch_add(1, Ordering::Relaxed);
                });
            });
        });
        assert_eq!(passed.into_inner(), 100);
    }
}

#[test]
fn making_cloning_showing_and_measuring_spend_nothing() {
    let counter = CounterToken::new(3);
    let numbers = || (0..LEN).into_par_iter();
    let quiet = numbers().with_token(&counter);
    let tried = numbers().try_with_token(&counter);
    let fused = numbers().cancel_on_panic(&counter);
    assert_eq!(tried.len(), LEN);
    assert_eq!((quiet.opt_len(), tried.opt_len()), (None, Some(LEN)));
    drop((quiet.clone(), tried.clone(), fused.clone()));
    assert!(!format!("{quiet:?} {tried:?} {fused:?}").is_empty());
    assert_eq!(counter.remaining(), 3);
}

#[test]
fn no_item_is_no_check() {
    let counter = CounterToken::new(1);
    let nothing = || Vec::<u8>::new().into_par_iter();
    assert_eq!(nothing().with_token(&counter).count(), 0);
    assert_eq!(nothing().try_with_token(&counter).count(), 0);
    assert_eq!(nothing().try_with_token(&counter).rev().count(), 0);
    assert_eq!((0..0).par_bridge().with_token(&counter).count(), 0);
    assert_eq!(nothing().cancel_on_panic(&counter).count(), 0);
    assert_eq!(counter.remaining(), 1);
}
