//! `with_token` stops an iterator quietly, `try_with_token` says that it was stopped.

use std::cell::Cell;
use std::iter::{FusedIterator, from_fn, once, repeat_n};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use cantok_core::prelude::*;
use cantok_core::{
    CancellationError, Cause, ConditionToken, CounterToken, SimpleToken, TimeoutToken, Token,
};
use cantok_testkit::watchdog;

/// Counts up from zero for ever, and how often it was asked.
fn counting() -> (impl Iterator<Item = usize>, Rc<Cell<usize>>) {
    let asked = Rc::new(Cell::new(0));
    let counter = Rc::clone(&asked);
    let base = from_fn(move || {
        let number = counter.get();
        counter.set(number + 1);
        Some(number)
    });
    (base, asked)
}

/// Yields an item, then `None`, then an item again, and so on, and how often it was asked.
fn flickering() -> (impl Iterator<Item = usize>, Rc<Cell<usize>>) {
    let asked = Rc::new(Cell::new(0));
    let counter = Rc::clone(&asked);
    let base = from_fn(move || {
        let number = counter.get();
        counter.set(number + 1);
        (number % 2 == 0).then_some(number)
    });
    (base, asked)
}

#[test]
fn every_item_passes_while_the_token_is_not_cancelled() {
    let token = SimpleToken::new();
    let items: Vec<i32> = (0..100).with_token(&token).collect();
    assert!(items.into_iter().eq(0..100));
    let items: Result<Vec<i32>, CancellationError> = (0..100).try_with_token(&token).collect();
    assert!(items.unwrap().into_iter().eq(0..100));
}

#[test]
fn every_kind_of_token_is_taken_by_value_and_by_reference() {
    let token = SimpleToken::new();
    let erased = Token::from(&token);
    assert_eq!((0..3).with_token(&token).count(), 3);
    assert_eq!((0..3).with_token(token.clone()).count(), 3);
    assert_eq!((0..3).with_token(&erased).count(), 3);
    assert_eq!((0..3).with_token(Token::never()).count(), 3);
    assert_eq!((0..3).with_token(CounterToken::new(2)).count(), 2);
    let sum = &token + TimeoutToken::new(Duration::MAX);
    assert_eq!((0..3).try_with_token(sum).count(), 3);
    assert_eq!((0..3).try_with_token(&token).count(), 3);
}

#[test]
fn a_cancelled_token_lets_no_item_pass() {
    let token = SimpleToken::new();
    token.cancel();
    let (base, asked) = counting();
    assert_eq!(base.with_token(&token).next(), None);
    assert_eq!(asked.get(), 0);

    let (base, asked) = counting();
    let mut items = base.try_with_token(&token);
    assert!(items.next().unwrap().unwrap_err().is_from(&token));
    assert!(items.next().is_none());
    assert_eq!(asked.get(), 0);
}

#[test]
fn the_base_is_not_advanced_after_a_cancel() {
    let token = SimpleToken::new();
    let (base, asked) = counting();
    let mut items = base.with_token(&token);
    assert_eq!(items.next(), Some(0));
    assert_eq!(items.next(), Some(1));
    token.cancel();
    for _ in 0..3 {
        assert_eq!(items.next(), None);
    }
    assert_eq!(asked.get(), 2);

    let token = SimpleToken::new();
    let (base, asked) = counting();
    let mut items = base.try_with_token(&token);
    assert_eq!(items.next().unwrap().unwrap(), 0);
    token.cancel();
    assert!(items.next().unwrap().is_err());
    for _ in 0..3 {
        assert!(items.next().is_none());
    }
    assert_eq!(asked.get(), 1);
}

#[test]
fn a_cancel_within_a_loop_ends_the_loop_after_the_item() {
    let token = SimpleToken::new();
    let mut seen = Vec::new();
    for item in (0..100).with_token(&token) {
        if item == 4 {
            token.cancel();
        }
        seen.push(item);
    }
    assert_eq!(seen, [0, 1, 2, 3, 4]);
}

#[test]
fn one_check_is_spent_before_each_item() {
    let token = CounterToken::new(10);
    let mut items = (0..5).with_token(&token);
    for taken in 1..=5 {
        assert!(items.next().is_some());
        assert_eq!(token.remaining(), 10 - taken);
    }
    assert_eq!(items.next(), None);
    assert_eq!(items.next(), None);
    assert_eq!(token.remaining(), 5);

    let mut items = (0..5).try_with_token(&token);
    for taken in 1..=5 {
        assert!(items.next().unwrap().is_ok());
        assert_eq!(token.remaining(), 5 - taken);
    }
    assert!(items.next().is_none());
    assert!(token.cancellation().is_none());
}

#[test]
fn making_an_adapter_and_asking_for_its_size_spends_nothing() {
    let token = CounterToken::new(3);
    let items = (0..5).with_token(&token);
    let tried = (0..5).try_with_token(&token);
    assert_eq!(items.size_hint().1, Some(5));
    assert_eq!(tried.size_hint().1, Some(5));
    assert!(!format!("{items:?} {tried:?}").is_empty());
    drop(items.clone());
    drop(tried.clone());
    assert_eq!(token.remaining(), 3);
}

#[test]
fn a_counter_lets_exactly_its_number_of_items_pass() {
    for n in [0, 1, 5, 99, 100, 101] {
        let expected = n.min(100);
        let limit = n as u64;
        assert_eq!(
            (0..100).with_token(CounterToken::new(limit)).count(),
            expected
        );
        let (base, asked) = counting();
        assert_eq!(base.with_token(CounterToken::new(limit)).count(), n);
        assert_eq!(asked.get(), n);

        let tried = (0..100).try_with_token(CounterToken::new(limit));
        let tried: Vec<_> = tried.take(1000).collect();
        let passed = tried.iter().filter(|item| item.is_ok()).count();
        assert_eq!(passed, expected);
        assert_eq!(tried.len(), if n < 100 { n + 1 } else { 100 });
    }
}

#[test]
fn two_iterators_share_one_counter() {
    let token = CounterToken::new(7);
    let first: Vec<i32> = (0..4).with_token(&token).collect();
    let second: Vec<i32> = (0..100).with_token(&token).collect();
    assert_eq!(first.len(), 4);
    assert_eq!(second.len(), 3);
}

#[test]
fn a_counter_of_as_many_units_as_items_makes_a_complete_result() {
    let token = CounterToken::new(5);
    let items: Result<Vec<i32>, CancellationError> = (0..5).try_with_token(&token).collect();
    assert_eq!(items.unwrap(), [0, 1, 2, 3, 4]);
    assert_eq!(token.remaining(), 0);
    assert!(token.cancellation().is_none());
}

#[test]
fn an_empty_base_is_not_worth_a_check() {
    let token = CounterToken::new(1);
    assert_eq!(Vec::<u8>::new().into_iter().with_token(&token).next(), None);
    assert!((0..0).try_with_token(&token).next().is_none());
    assert_eq!(token.remaining(), 1);

    let token = SimpleToken::new();
    token.cancel();
    let items: Result<Vec<u8>, CancellationError> =
        Vec::new().into_iter().try_with_token(&token).collect();
    assert_eq!(items.unwrap(), []);
}

#[test]
fn a_base_that_does_not_know_that_it_is_empty_is_worth_a_check() {
    let token = CounterToken::new(1);
    let mut items = from_fn(|| None::<u8>).with_token(&token);
    assert_eq!(items.next(), None);
    assert_eq!(token.remaining(), 0);
    assert_eq!(items.next(), None);
    assert!(token.cancellation().is_none());

    let token = CounterToken::new(0);
    let mut items = from_fn(|| None::<u8>).try_with_token(&token);
    assert!(items.next().unwrap().unwrap_err().is_from(&token));
    assert!(items.next().is_none());
}

#[test]
fn the_end_of_the_base_is_the_end_for_good() {
    let token = CounterToken::new(10);
    let (base, asked) = flickering();
    let mut items = base.with_token(&token);
    assert_eq!(items.next(), Some(0));
    for _ in 0..3 {
        assert_eq!(items.next(), None);
    }
    assert_eq!(asked.get(), 2);
    assert_eq!(token.remaining(), 8);

    let (base, asked) = flickering();
    let mut items = base.try_with_token(&token);
    assert_eq!(items.next().unwrap().unwrap(), 0);
    for _ in 0..3 {
        assert!(items.next().is_none());
    }
    assert_eq!(asked.get(), 2);
    assert_eq!(token.remaining(), 6);
    token.cancel();
    assert!(items.next().is_none());
}

#[test]
fn both_adapters_are_fused() {
    fn fused(iterator: impl FusedIterator) {
        drop(iterator);
    }
    fused(flickering().0.with_token(Token::never()));
    fused(flickering().0.try_with_token(Token::never()));
}

#[test]
fn the_size_of_a_quiet_adapter_has_no_lower_bound() {
    let token = SimpleToken::new();
    let mut items = (0..3).with_token(&token);
    assert_eq!(items.size_hint(), (0, Some(3)));
    items.next();
    assert_eq!(items.size_hint(), (0, Some(2)));
    assert_eq!(counting().0.with_token(&token).size_hint(), (0, None));
    items.next();
    items.next();
    items.next();
    assert_eq!(items.size_hint(), (0, Some(0)));
}

#[test]
fn the_size_of_a_trying_adapter_has_a_lower_bound_of_one_item_at_most() {
    let token = SimpleToken::new();
    let mut items = (0..3).try_with_token(&token);
    assert_eq!(items.size_hint(), (1, Some(3)));
    items.next();
    items.next();
    assert_eq!(items.size_hint(), (1, Some(1)));
    items.next();
    assert_eq!(items.size_hint(), (0, Some(0)));
    items.next();
    assert_eq!(items.size_hint(), (0, Some(0)));
    assert_eq!(counting().0.try_with_token(&token).size_hint(), (0, None));
    let even = (0..9).filter(|item| item % 2 == 0);
    assert_eq!(even.try_with_token(&token).size_hint(), (0, Some(9)));
}

#[test]
fn after_a_cancel_nothing_is_left() {
    let token = SimpleToken::new();
    let mut items = (0..3).with_token(&token);
    let mut tried = (0..3).try_with_token(&token);
    token.cancel();
    assert_eq!(tried.size_hint(), (1, Some(3)));
    assert_eq!(items.next(), None);
    assert!(tried.next().unwrap().is_err());
    assert_eq!(items.size_hint(), (0, Some(0)));
    assert_eq!(tried.size_hint(), (0, Some(0)));
}

#[test]
fn the_sizes_hold_whenever_the_token_is_cancelled() {
    for cancel_at in 0..7 {
        let token = SimpleToken::new();
        let mut items = (0..5).with_token(&token);
        let mut tried = (0..5).try_with_token(&token);
        let (mut hints, mut tried_hints) = (Vec::new(), Vec::new());
        let (mut count, mut tried_count) = (0, 0);
        for step in 0..10 {
            if step == cancel_at {
                token.cancel();
            }
            hints.push((count, items.size_hint()));
            tried_hints.push((tried_count, tried.size_hint()));
            count += usize::from(items.next().is_some());
            tried_count += usize::from(tried.next().is_some());
        }
        for (before, (lower, upper)) in hints {
            assert!(lower <= count - before && count - before <= upper.unwrap());
        }
        for (before, (lower, upper)) in tried_hints {
            let came = tried_count - before;
            assert!(lower <= came && came <= upper.unwrap());
        }
    }
}

#[test]
fn both_adapters_are_double_ended() {
    let token = CounterToken::new(100);
    let mut items = (0..5).with_token(&token);
    assert_eq!(items.next_back(), Some(4));
    assert_eq!(items.next(), Some(0));
    assert_eq!(items.next_back(), Some(3));
    assert_eq!(items.size_hint(), (0, Some(2)));
    assert_eq!(token.remaining(), 97);
    assert!(items.rev().eq([2, 1]));
    assert_eq!(token.remaining(), 95);

    let mut tried = (0..3).try_with_token(&token);
    assert_eq!(tried.next_back().unwrap().unwrap(), 2);
    assert_eq!(tried.next().unwrap().unwrap(), 0);
    assert_eq!(tried.next_back().unwrap().unwrap(), 1);
    assert!(tried.next_back().is_none());
    assert!(tried.next().is_none());
    assert_eq!(token.remaining(), 92);
}

#[test]
fn a_cancel_ends_both_ends_with_a_single_error() {
    let token = SimpleToken::new();
    let mut items = (0..5).with_token(&token);
    assert_eq!(items.next_back(), Some(4));
    token.cancel();
    assert_eq!(items.next_back(), None);
    assert_eq!(items.next(), None);

    let token = SimpleToken::new();
    let mut tried = (0..5).try_with_token(&token);
    assert_eq!(tried.next_back().unwrap().unwrap(), 4);
    token.cancel();
    assert!(tried.next_back().unwrap().is_err());
    assert!(tried.next().is_none());
    assert!(tried.next_back().is_none());
    assert_eq!(tried.size_hint(), (0, Some(0)));
}

#[test]
fn a_counter_counts_from_both_ends_together() {
    let mut items = (0..100).with_token(CounterToken::new(5));
    let mut passed = 0;
    while items.next().is_some() {
        passed += 1;
        if items.next_back().is_none() {
            break;
        }
        passed += 1;
    }
    assert_eq!(passed, 5);
    assert_eq!((0..100).with_token(CounterToken::new(3)).rev().count(), 3);
    assert!(
        (0..100)
            .with_token(CounterToken::new(3))
            .rev()
            .eq([99, 98, 97])
    );
}

#[test]
fn the_error_says_why_the_items_end() {
    let token = CounterToken::new(2).named("budget");
    let tried: Vec<_> = (0..9).try_with_token(&token).take(1000).collect();
    assert_eq!(tried.len(), 3);
    let error = tried[2].as_ref().unwrap_err();
    assert_eq!(*error.cause(), Cause::Counter { limit: 2 });
    assert!(error.is_from(&token));
    assert_eq!(
        error.to_string(),
        "budget: the counter of 2 checks is used up"
    );
}

#[test]
fn a_partial_result_does_not_pass_for_a_complete_one() {
    let token = SimpleToken::new();
    let items: Result<Vec<i32>, CancellationError> = (0..9)
        .try_with_token(&token)
        .inspect(|item| {
            if matches!(item, Ok(4)) {
                token.cancel();
            }
        })
        .collect();
    assert!(items.unwrap_err().is_from(&token));

    let total: Result<i32, CancellationError> = (0..9).try_with_token(&token).sum();
    assert!(total.is_err());
}

#[test]
fn what_consumes_an_iterator_as_a_whole_counts_like_what_pulls_each_item() {
    let limited = || (0..100).with_token(CounterToken::new(5));
    assert_eq!(limited().count(), 5);
    assert_eq!(limited().sum::<i32>(), 10);
    assert_eq!(limited().reduce(|_, item| item), Some(4));
    assert_eq!(limited().nth(4), Some(4));
    assert_eq!(limited().nth(5), None);
    assert_eq!(limited().nth_back(4), Some(95));
    assert_eq!(limited().nth_back(5), None);
    assert_eq!(limited().fold(0, |count, _| count + 1), 5);
    assert_eq!(limited().rfold(0, |count, _| count + 1), 5);
    assert_eq!(limited().max(), Some(4));
    assert_eq!(limited().position(|item| item == 5), None);
    assert_eq!(limited().rev().count(), 5);
    assert_eq!(limited().chain(7..9).count(), 7);
    assert_eq!(limited().step_by(2).collect::<Vec<_>>(), [0, 2, 4]);
    let mut count = 0;
    limited().for_each(|_| count += 1);
    assert_eq!(count, 5);
    assert_eq!(
        limited().try_for_each(|item| if item < 3 { Ok(()) } else { Err(item) }),
        Err(3)
    );
}

#[test]
fn a_fold_that_stops_leaves_the_units_of_the_items_it_did_not_see() {
    let token = CounterToken::new(10);
    let mut items = (0..100).with_token(&token);
    assert_eq!(items.find(|item| *item == 3), Some(3));
    assert_eq!(token.remaining(), 6);
    assert_eq!(items.next(), Some(4));
    assert_eq!(token.remaining(), 5);
}

#[test]
fn a_clone_goes_on_by_itself_with_the_same_token() {
    let token = CounterToken::new(10);
    let mut items = (0..4).with_token(&token);
    assert_eq!(items.next(), Some(0));
    let clone = items.clone();
    assert!(items.eq(1..4));
    assert!(clone.eq(1..4));
    assert_eq!(token.remaining(), 3);

    let token = SimpleToken::new();
    let mut tried = (0..4).try_with_token(&token);
    token.cancel();
    let mut before = tried.clone();
    assert!(tried.next().unwrap().is_err());
    let mut after = tried.clone();
    assert!(before.next().unwrap().is_err());
    assert!(after.next().is_none());
}

#[test]
fn debug_shows_the_adapter_and_the_base() {
    let items = (0..4).with_token(Token::never());
    let shown = format!("{items:?}");
    assert!(shown.starts_with("WithToken"), "{shown}");
    assert!(shown.contains("0..4"), "{shown}");
    let tried = (0..4).try_with_token(Token::never());
    let shown = format!("{tried:?}");
    assert!(shown.starts_with("TryWithToken"), "{shown}");
    assert!(shown.contains("0..4"), "{shown}");
}

#[test]
fn an_iterator_that_never_ends_is_ended_by_a_timeout() {
    watchdog("an endless iterator under a timeout", || {
        let token = TimeoutToken::new(Duration::from_millis(5));
        let (base, _) = counting();
        let last = base.try_with_token(&token).last().unwrap();
        let error = last.unwrap_err();
        assert!(error.is_from(&token));
        assert!(token.is_cancelled());
    });
}

#[test]
fn adapters_can_be_nested() {
    let (outer, inner) = (CounterToken::new(3), CounterToken::new(10));
    let items = (0..100).with_token(&inner).with_token(&outer);
    assert_eq!(items.count(), 3);
    assert_eq!(inner.remaining(), 7);

    let items: Result<Vec<_>, CancellationError> = once(1)
        .chain(repeat_n(2, 3))
        .try_with_token(&inner)
        .collect();
    assert_eq!(items.unwrap(), [1, 2, 2, 2]);
    assert_eq!(inner.remaining(), 3);
}

#[test]
fn a_check_may_be_for_many_items() {
    for every in [1, 7, 1024, usize::MAX] {
        let token = SimpleToken::new();
        assert!((0..100).with_token(&token).check_every(every).eq(0..100));
        let items: Result<Vec<_>, _> = (0..100)
            .try_with_token(&token)
            .check_every(every)
            .collect::<Result<_, CancellationError>>();
        assert!(items.unwrap().into_iter().eq(0..100));

        // Exactly as many pass as there are units, even if the number of items is unknown.
        for units in [0, 1, 6, 7, 8, 99, 100, 101] {
            let counter = || CounterToken::new(units as u64);
            let expected = units.min(100);
            let known = (0..100).with_token(counter()).check_every(every);
            assert_eq!(known.count(), expected);
            let unknown = counting().0.with_token(counter()).check_every(every);
            assert_eq!(unknown.count(), units);
            let back = (0..100).with_token(counter()).check_every(every).rev();
            assert_eq!(back.count(), expected);
            let tried = (0..100).try_with_token(counter()).check_every(every);
            let results: Vec<_> = tried.collect();
            let passed = results.iter().filter(|result| result.is_ok()).count();
            assert_eq!(passed, expected);
            assert_eq!(results.len(), (units + 1).min(100));
        }
    }
}

#[test]
fn after_a_cancel_at_most_as_many_items_pass_as_a_check_is_for() {
    for every in [1, 7, 100] {
        let token = SimpleToken::new();
        let (base, asked) = counting();
        let mut items = base.with_token(&token).check_every(every);
        assert_eq!(items.next(), Some(0));
        token.cancel();
        assert_eq!(items.count(), every - 1);
        assert_eq!(asked.get(), every);
    }
}

#[test]
fn units_that_are_left_go_back_with_the_iterator() {
    let token = CounterToken::new(100);
    let mut items = (0..50).with_token(&token).check_every(20);
    assert_eq!(items.next(), Some(0));
    assert_eq!(token.remaining(), 80);
    let clone = items.clone();
    assert_eq!(token.remaining(), 80, "a clone takes units of its own");
    assert_eq!(clone.count(), 49);
    assert_eq!(token.remaining(), 31);
    drop(items);
    assert_eq!(token.remaining(), 50);
    // No more are taken than items are sure to come.
    let mut items = (0..5).try_with_token(&token).check_every(20);
    assert_eq!(items.next().unwrap().unwrap(), 0);
    assert_eq!(token.remaining(), 45);
    drop(items);
    assert_eq!(token.remaining(), 49);
}

#[test]
fn a_condition_is_called_once_for_many_items() {
    let calls = Arc::new(AtomicUsize::new(0));
    let token = ConditionToken::new({
        let calls = Arc::clone(&calls);
        move || {
            calls.fetch_add(1, Ordering::Relaxed);
            false
        }
    });
    assert_eq!((0..100).with_token(&token).check_every(7).count(), 100);
    assert_eq!(calls.load(Ordering::Relaxed), 15);
}

#[test]
#[should_panic(expected = "a check for every 0 items")]
fn a_check_for_every_0_items_panics() {
    let _ = (0..100).with_token(Token::never()).check_every(0);
}
