//! One check for many items takes units of counters for all of them, and gives back those of items that do not pass.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use cantok_core::adapter::{Allowance, TokenAdapterExt as _};
use cantok_core::{Cause, ConditionToken, CounterToken, SimpleToken, TimeoutToken, Token};
use cantok_testkit::watchdog;
use proptest::prelude::*;

fn left(token: &Token, items: u64) -> u64 {
    token.check_many(items).map_or(0, |mut allowance| {
        let left = allowance.left();
        allowance.pass(left);
        left
    })
}

#[test]
fn a_check_passes_for_as_many_items_as_there_are_units() {
    let counter = CounterToken::new(10);
    assert_eq!(left(&counter, 7), 7);
    assert_eq!(left(&counter, 7), 3);
    assert!(counter.cancellation().is_none(), "no check was refused");
    let error = counter.check_many(7).unwrap_err();
    assert_eq!(*error.cause(), Cause::Counter { limit: 10 });
    assert!(error.is_from(&counter));
    assert!(counter.is_cancelled());
}

#[test]
fn what_does_not_pass_is_given_back() {
    let counter = CounterToken::new(10);
    let sum = (&counter + SimpleToken::new()).child();
    let mut allowance = sum.check_many(8).unwrap();
    assert!(sum.is_counted());
    assert_eq!((allowance.left(), counter.remaining()), (8, 2));
    allowance.pass(3);
    assert_eq!((allowance.left(), counter.remaining()), (5, 2));
    drop(allowance);
    assert_eq!(counter.remaining(), 7);

    let mut allowance = sum.check_many(8).unwrap();
    let panicking = catch_unwind(AssertUnwindSafe(|| {
        allowance.pass(1);
        let _allowance = allowance;
        resume_unwind(Box::new("in the middle"));
    }));
    assert!(panicking.is_err());
    assert_eq!(counter.remaining(), 6);
}

#[test]
fn more_than_was_let_pass_gives_nothing_back() {
    let counter = CounterToken::new(10);
    counter.check_many(4).unwrap().pass(u64::MAX);
    assert_eq!(counter.remaining(), 6);
}

#[test]
fn what_is_given_back_after_a_refusal_stays_cancelled() {
    for several in [false, true] {
        let counter = CounterToken::new(5);
        let token = if several {
            &counter + CounterToken::new(100)
        } else {
            Token::from(&counter)
        };
        let allowance = counter.check_many(5).unwrap();
        assert!(token.check().is_err());
        drop(allowance);
        assert_eq!(counter.remaining(), 0);
        assert!(counter.is_cancelled() && token.is_cancelled());
        assert!(counter.check_many(1).is_err());
    }
}

#[test]
fn of_several_counters_the_smallest_decides_and_the_others_lose_no_more() {
    let (few, many) = (CounterToken::new(5), CounterToken::new(100));
    let nested: Token = (0..20).fold(&few + &many, |sum, _| {
        (sum + SimpleToken::new()).child().into()
    });
    for token in [&few + &many, &many + &few, &nested + &few] {
        let allowance = token.check_many(8).unwrap();
        assert_eq!(allowance.left(), 5);
        assert_eq!((few.remaining(), many.remaining()), (0, 95));
        drop(allowance);
        assert_eq!((few.remaining(), many.remaining()), (5, 100));
    }
    assert_eq!(left(&(&few + &many), 8), 5);
    assert!((&many + &few).check_many(8).unwrap_err().is_from(&few));
    assert_eq!(many.remaining(), 95);
}

#[test]
fn a_direct_only_counter_counts_its_own_checks() {
    let counter = CounterToken::new(5).direct_only();
    let sum = &counter + SimpleToken::new();
    assert_eq!(left(&sum, 8), 8);
    assert_eq!(counter.remaining(), 5);
    assert_eq!(left(&counter, 8), 5);
    assert!(counter.check_many(1).is_err());
    assert!(sum.check_many(1).is_err());
}

#[test]
fn a_condition_is_called_once_before_units_are_taken() {
    let calls = Arc::<AtomicU64>::default();
    let condition = ConditionToken::new({
        let calls = Arc::clone(&calls);
        move || calls.fetch_add(1, Ordering::Relaxed) == 2
    });
    let counter = CounterToken::new(100);
    for token in [&counter + &condition, &condition + &counter] {
        assert_eq!(left(&token, 10), 10);
    }
    assert_eq!(calls.load(Ordering::Relaxed), 2);
    let error = (&counter + &condition).check_many(10).unwrap_err();
    assert_eq!(*error.cause(), Cause::Condition);
    assert_eq!(counter.remaining(), 80);
}

#[test]
fn tokens_without_a_counter_pass_for_all_items() {
    let stop = SimpleToken::new();
    let hour = TimeoutToken::new(Duration::from_secs(3600));
    for token in [
        Token::from(&stop),
        &stop + &hour,
        ConditionToken::new(|| false).into(),
    ] {
        let allowance = token.check_many(u64::MAX).unwrap();
        assert_eq!(allowance.left(), u64::MAX);
        assert!(!token.is_counted());
    }
    stop.cancel();
    assert!((&stop + &hour).check_many(1).is_err());
    assert!(TimeoutToken::new(Duration::ZERO).check_many(1).is_err());
    assert!(CounterToken::new(0).check_many(1).is_err());
}

#[test]
fn any_number_of_units_is_given_back() {
    let counter = CounterToken::new(u64::MAX);
    let allowances: Vec<_> = (0..100).map(|_| counter.check_many(u64::MAX)).collect();
    assert!(allowances.iter().all(Result::is_ok));
    drop(allowances);
    assert_eq!(counter.remaining(), u64::MAX);
}

#[test]
#[should_panic(expected = "a check for no item")]
fn a_check_for_no_item_panics() {
    let _ = SimpleToken::new().check_many(0);
}

#[test]
fn only_a_token_without_anything_to_ask_is_live() {
    let stop = SimpleToken::new();
    assert!(stop.is_live());
    assert!(!CounterToken::new(1).is_live());
    assert!(!ConditionToken::new(|| false).is_live());
    let sum = &stop + TimeoutToken::new(Duration::from_secs(3600));
    // It polls until it was checked often.
    assert!(!sum.is_live());
    assert!((0..100).all(|_| sum.keep_on()));
    assert!(sum.is_live());
    stop.cancel();
    assert!(!stop.is_live() && !sum.is_live());
}

/// Blocks and single checks on eight threads, of a counter that all share.
#[test]
fn eight_threads_take_exactly_what_there_is() {
    watchdog("eight threads that take units", || {
        for limit in [0, 1, 7, 100, 50_000] {
            let counter = CounterToken::new(limit);
            let sum = &counter + SimpleToken::new();
            let start = Barrier::new(8);
            let passed = AtomicU64::new(0);
            thread::scope(|scope| {
                for thread in 0..8_u64 {
                    let (sum, counter, start, passed) = (&sum, &counter, &start, &passed);
                    scope.spawn(move || {
                        start.wait();
                        let mut own = 0;
                        loop {
                            let units = match thread % 3 {
                                0 => u64::from(counter.keep_on()),
                                1 => left(sum, thread),
                                _ => left(counter, 64),
                            };
                            own += units;
                            if units == 0 {
                                break;
                            }
                        }
                        passed.fetch_add(own, Ordering::Relaxed);
                    });
                }
            });
            assert_eq!(passed.into_inner(), limit);
            assert_eq!(counter.remaining(), 0);
            assert!(counter.cancellation().is_some());
        }
    });
}

/// Threads that use half of what they take leave the other half for others: nothing is lost unless a check is refused.
#[test]
fn what_eight_threads_give_back_adds_up() {
    watchdog("eight threads that give units back", || {
        let counter = CounterToken::new(1_000_000);
        let start = Barrier::new(8);
        thread::scope(|scope| {
            for thread in 1..=8 {
                let (counter, start) = (&counter, &start);
                scope.spawn(move || {
                    start.wait();
                    for _ in 0..1_000 {
                        counter.check_many(thread * 2).unwrap().pass(thread);
                    }
                });
            }
        });
        assert_eq!(counter.remaining(), 1_000_000 - 36 * 1_000);
        assert!(counter.cancellation().is_none());
    });
}

#[derive(Clone, Debug)]
enum Step {
    Check,
    Take(u64),
    Pass(usize, u64),
    Drop(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        Just(Step::Check),
        (1..12_u64).prop_map(Step::Take),
        (0..4_usize, 0..6_u64).prop_map(|(which, items)| Step::Pass(which, items)),
        (0..4_usize).prop_map(Step::Drop),
    ];
    proptest::collection::vec(step, 0..40)
}

proptest! {
    /// Against a number that is counted down.
    #[test]
    fn blocks_count_like_a_number(limit in 0..40_u64, steps in steps()) {
        let counter = CounterToken::new(limit);
        let sum = (&counter + SimpleToken::new()).child();
        let (mut free, mut is_refused) = (limit, limit == 0);
        let mut held: Vec<(Allowance<'_>, u64)> = Vec::new();
        for step in steps {
            match step {
                Step::Check => {
                    let passes = !is_refused && free > 0;
                    prop_assert_eq!(sum.keep_on(), passes);
                    if passes { free -= 1 } else { is_refused = true }
                }
                Step::Take(items) => {
                    let units = if is_refused { 0 } else { items.min(free) };
                    match sum.check_many(items) {
                        Ok(allowance) => {
                            prop_assert_eq!(allowance.left(), units);
                            held.push((allowance, units));
                        }
                        Err(error) => {
                            prop_assert_eq!(units, 0);
                            prop_assert!(error.is_from(&counter));
                        }
                    }
                    free -= units;
                    is_refused |= units == 0;
                }
                Step::Pass(which, items) => {
                    if let Some((allowance, units)) = held.get_mut(which) {
                        allowance.pass(items);
                        *units = units.saturating_sub(items);
                        prop_assert_eq!(allowance.left(), *units);
                    }
                }
                Step::Drop(which) => {
                    if which < held.len() {
                        let (allowance, units) = held.swap_remove(which);
                        drop(allowance);
                        free += units;
                    }
                }
            }
            prop_assert_eq!(counter.remaining(), if is_refused { 0 } else { free });
            prop_assert_eq!(counter.cancellation().is_some(), is_refused);
        }
    }
}
