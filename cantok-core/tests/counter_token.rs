//! A `CounterToken` lets exactly `n` checks pass, over all threads and all sums together.

mod support;

use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use cantok_core::{Cause, CounterToken, SimpleToken, TimeoutToken, Token};
use support::watchdog;

/// The number of checks of `token` that pass before one does not.
fn passes(token: &Token) -> u64 {
    (0..1_000_000)
        .find(|_| token.is_cancelled())
        .expect("the counter comes to an end")
}

#[test]
fn exactly_n_checks_pass() {
    for n in [0, 1, 2, 5, 63, 64, 65, 1000] {
        let token = CounterToken::new(n);
        for used in 0..n {
            assert_eq!(token.remaining(), n - used);
            assert!(token.check().is_ok());
        }
        assert_eq!(token.remaining(), 0);
        let error = token.check().unwrap_err();
        assert_eq!(*error.cause(), Cause::Counter { limit: n });
        assert!(error.is_from(&token));
        assert_eq!(token.limit(), n);
    }
}

#[test]
fn a_used_up_counter_stays_used_up() {
    let token = CounterToken::new(2);
    assert_eq!(passes(&token), 2);
    for _ in 0..100 {
        assert!(token.is_cancelled());
        assert_eq!(token.remaining(), 0);
        assert_eq!(*token.cause().unwrap().cause(), Cause::Counter { limit: 2 });
    }
    assert!(!token.cancel());
}

#[test]
fn spending_the_last_unit_does_not_cancel_for_a_look() {
    let token = CounterToken::new(1);
    let sum = &token + SimpleToken::new();
    assert!(token.check().is_ok());
    assert_eq!(token.remaining(), 0);
    assert!(token.cause().is_none());
    assert!(sum.cause().is_none());
    assert!(token.is_cancelled());
    assert!(token.cause().is_some());
}

#[test]
fn a_counter_of_zero_is_cancelled_by_the_first_check() {
    let token = CounterToken::new(0);
    assert_eq!(token.remaining(), 0);
    assert_eq!(token.limit(), 0);
    assert!(token.cause().is_none());
    let error = token.check().unwrap_err();
    assert_eq!(*error.cause(), Cause::Counter { limit: 0 });
    assert!(token.cause().is_some());
}

#[test]
fn a_counter_of_zero_refuses_a_wait_at_once() {
    watchdog("a wait for a counter of zero", || {
        let token = CounterToken::new(0);
        let error = token.wait();
        assert_eq!(*error.cause(), Cause::Counter { limit: 0 });

        let sum = CounterToken::new(0) + SimpleToken::new();
        assert_eq!(*sum.wait().cause(), Cause::Counter { limit: 0 });

        let token = CounterToken::new(0);
        assert!(token.wait_timeout(Duration::ZERO).is_some());
    });
}

#[test]
fn a_counter_of_zero_that_nobody_asked_can_be_cancelled_by_hand() {
    let token = CounterToken::new(0);
    assert!(token.cancel());
    assert_eq!(*token.check().unwrap_err().cause(), Cause::Cancelled);
}

#[test]
fn the_largest_counter_counts() {
    let token = CounterToken::new(u64::MAX);
    assert_eq!(token.remaining(), u64::MAX);
    assert_eq!(token.limit(), u64::MAX);
    assert!(token.keep_on());
    assert_eq!(token.remaining(), u64::MAX - 1);
    let sum = &token + SimpleToken::new();
    assert!(sum.keep_on());
    assert_eq!(token.remaining(), u64::MAX - 2);
    assert_eq!(token.limit(), u64::MAX);
}

#[test]
fn clones_share_one_count() {
    let token = CounterToken::new(3);
    let clone = token.clone();
    let erased = Token::from(&token);
    assert!(token.keep_on());
    assert!(clone.keep_on());
    assert!(erased.keep_on());
    assert_eq!(token.remaining(), 0);
    assert_eq!(clone.remaining(), 0);
    assert!(erased.is_cancelled());
}

#[test]
fn a_cancelled_counter_spends_nothing() {
    let token = CounterToken::new(3);
    let sum = &token + SimpleToken::new();
    assert!(token.cancel());
    for _ in 0..10 {
        assert!(token.is_cancelled());
        assert!(sum.is_cancelled());
    }
    assert_eq!(token.remaining(), 3);
    assert_eq!(*sum.cause().unwrap().cause(), Cause::Cancelled);
}

#[test]
fn a_check_of_a_sum_spends_one_unit() {
    let token = CounterToken::new(5);
    let sum = SimpleToken::new() + &token + TimeoutToken::new(Duration::MAX);
    assert!(sum.check().is_ok());
    assert_eq!(token.remaining(), 4);
    assert!(sum.keep_on());
    assert_eq!(token.remaining(), 3);
    assert!(!sum.is_cancelled());
    assert_eq!(token.remaining(), 2);
    assert_eq!(passes(&sum), 2);
    let error = sum.cause().unwrap();
    assert_eq!(*error.cause(), Cause::Counter { limit: 5 });
    assert!(error.is_from(&token));
}

#[test]
fn a_check_of_a_sum_that_is_checked_often_still_spends_one_unit() {
    let token = CounterToken::new(1000);
    let stops: Vec<SimpleToken> = (0..16).map(|_| SimpleToken::new()).collect();
    let sum = stops.iter().sum::<Token>() + &token + TimeoutToken::new(Duration::from_secs(3600));
    for used in 1..=1000 {
        assert!(sum.keep_on());
        assert_eq!(token.remaining(), 1000 - used);
    }
    assert!(sum.is_cancelled());
}

#[test]
fn an_absorbed_counter_counts_the_checks_of_the_sum() {
    for n in [0, 1, 7, 300] {
        let sum = SimpleToken::new() + CounterToken::new(n) + TimeoutToken::new(Duration::MAX);
        assert_eq!(passes(&sum), n);
        assert_eq!(*sum.cause().unwrap().cause(), Cause::Counter { limit: n });
    }
}

#[test]
fn a_check_of_a_child_spends_one_unit() {
    let token = CounterToken::new(5);
    let child = token.child();
    let grandchild = child.child();
    assert!(child.keep_on());
    assert_eq!(token.remaining(), 4);
    assert!(grandchild.keep_on());
    assert_eq!(token.remaining(), 3);
    assert_eq!(passes(&grandchild), 3);
    assert!(grandchild.cause().unwrap().is_from(&token));
    assert!(child.is_cancelled());
}

#[test]
fn a_counter_found_used_up_by_a_sum_is_cancelled_for_everyone() {
    let token = CounterToken::new(1);
    let sum = &token + SimpleToken::new();
    let child = token.child();
    assert_eq!(passes(&sum), 1);
    assert!(token.cause().unwrap().is_from(&token));
    assert!(child.cause().unwrap().is_from(&token));
}

#[test]
fn checks_of_sums_children_and_the_counter_itself_are_counted_together() {
    let token = CounterToken::new(10);
    let sum = &token + SimpleToken::new();
    let child = token.child();
    let nested = (&sum + SimpleToken::new()).child();
    let mut passed = 0;
    'all: loop {
        for one in [&*token, &sum, &*child, &*nested] {
            if one.is_cancelled() {
                break 'all;
            }
            passed += 1;
        }
    }
    assert_eq!(passed, 10);
    for one in [&*token, &sum, &*child, &*nested] {
        assert!(one.is_cancelled());
    }
}

#[test]
fn a_sum_of_a_counter_and_itself_spends_one_unit() {
    let c = CounterToken::new(10);
    let twice = &c + &c;
    assert!(twice.keep_on());
    assert_eq!(c.remaining(), 9);
    let many = Token::any([&c, &c, &c, &c]);
    assert!(many.keep_on());
    assert_eq!(c.remaining(), 8);
    assert_eq!(passes(&twice), 8);
}

#[test]
fn a_counter_that_is_reached_in_several_ways_is_spent_once_a_check() {
    let c = CounterToken::new(10);
    let (a, b) = (SimpleToken::new(), SimpleToken::new());
    let diamond = (&c + &a) + (&c + &b);
    assert!(diamond.keep_on());
    assert_eq!(c.remaining(), 9);

    let with_child = &c + c.child();
    assert!(with_child.keep_on());
    assert_eq!(c.remaining(), 8);

    let shared = &c + &a;
    let family = &shared + shared.child() + shared.child().child() + &diamond;
    assert!(family.keep_on());
    assert_eq!(c.remaining(), 7);
    assert!(family.child().keep_on());
    assert_eq!(c.remaining(), 6);
}

#[test]
fn several_counters_are_all_spent_by_one_check() {
    let (a, b) = (CounterToken::new(3), CounterToken::new(5));
    let sum = &a + &b;
    assert_eq!(passes(&sum), 3);
    assert_eq!(a.remaining(), 0);
    assert_eq!(b.remaining(), 2);
    assert!(sum.cause().unwrap().is_from(&a));
    assert!(b.keep_on());
}

#[test]
fn all_counters_are_looked_at_for_zero_before_one_is_spent() {
    let (plenty, none) = (CounterToken::new(5), CounterToken::new(0));
    for sum in [
        &plenty + &none,
        &none + &plenty,
        Token::any([&plenty, &plenty, &none]),
        (&plenty + SimpleToken::new()) + (&none + SimpleToken::new()),
        &plenty + CounterToken::new(0),
        CounterToken::new(0) + &plenty,
    ] {
        let error = sum.check().unwrap_err();
        assert_eq!(*error.cause(), Cause::Counter { limit: 0 });
        assert_eq!(plenty.remaining(), 5);
    }
}

#[test]
fn counters_behind_children_are_looked_at_for_zero_too() {
    let (plenty, none) = (CounterToken::new(5), CounterToken::new(0));
    let sum = plenty.child() + none.child();
    assert!(sum.check().unwrap_err().is_from(&none));
    assert_eq!(plenty.remaining(), 5);
}

#[test]
fn a_direct_only_counter_is_spent_by_its_own_checks() {
    let token = CounterToken::new(4).direct_only();
    let clone = token.clone();
    let erased = Token::from(&token);
    assert!(token.keep_on());
    assert_eq!(token.remaining(), 3);
    assert!(clone.check().is_ok());
    assert_eq!(token.remaining(), 2);
    assert!(!erased.is_cancelled());
    assert_eq!(token.remaining(), 1);
    assert_eq!(passes(&token), 1);
    assert_eq!(*token.cause().unwrap().cause(), Cause::Counter { limit: 4 });
}

#[test]
fn a_direct_only_counter_is_not_spent_by_sums_and_children() {
    let token = CounterToken::new(2).direct_only();
    let sum = &token + SimpleToken::new();
    let child = token.child();
    let nested = (&sum + &child).child();
    for _ in 0..200 {
        assert!(sum.keep_on());
        assert!(child.keep_on());
        assert!(nested.keep_on());
    }
    assert_eq!(token.remaining(), 2);
}

#[test]
fn a_direct_only_counter_that_is_used_up_cancels_sums_and_children() {
    let token = CounterToken::new(2).direct_only();
    let sum = &token + SimpleToken::new();
    let child = token.child();
    assert!(token.keep_on());
    assert!(sum.keep_on());
    assert!(child.keep_on());
    assert!(token.keep_on());
    assert_eq!(token.remaining(), 0);
    assert!(sum.check().unwrap_err().is_from(&token));
    assert!(child.check().unwrap_err().is_from(&token));
    assert!(token.is_cancelled());
}

#[test]
fn an_absorbed_direct_only_counter_is_never_spent() {
    let sum = SimpleToken::new() + CounterToken::new(1).direct_only();
    let child = sum.child();
    for _ in 0..200 {
        assert!(sum.keep_on());
        assert!(child.keep_on());
    }
    let empty = SimpleToken::new() + CounterToken::new(0).direct_only();
    let error = empty.check().unwrap_err();
    assert_eq!(*error.cause(), Cause::Counter { limit: 0 });
}

#[test]
fn a_direct_only_counter_at_zero_keeps_the_other_counters_from_being_spent() {
    let plenty = CounterToken::new(5);
    let none = CounterToken::new(0).direct_only();
    for sum in [&plenty + &none, &none + &plenty] {
        assert!(sum.check().unwrap_err().is_from(&none));
    }
    assert_eq!(plenty.remaining(), 5);
}

#[test]
fn a_direct_only_counter_lets_the_other_counters_of_a_sum_count() {
    let direct = CounterToken::new(1).direct_only();
    let counted = CounterToken::new(9);
    let sum = &direct + &counted;
    assert_eq!(passes(&sum), 9);
    assert_eq!(direct.remaining(), 1);
}

#[test]
fn eight_threads_share_one_counter_exactly() {
    for n in [0, 1, 7, 20_000] {
        watchdog("eight threads that share a counter", move || {
            let token = CounterToken::new(n);
            let passed = AtomicU64::new(0);
            let barrier = Barrier::new(8);
            thread::scope(|scope| {
                for _ in 0..8 {
                    scope.spawn(|| {
                        barrier.wait();
                        passed.fetch_add(passes(&token), Ordering::Relaxed);
                    });
                }
            });
            assert_eq!(passed.into_inner(), n);
            assert_eq!(token.remaining(), 0);
        });
    }
}

#[test]
fn eight_threads_share_one_counter_exactly_over_sums_and_children() {
    for n in [1, 7, 20_000] {
        watchdog("eight threads with sums and children", move || {
            let token = CounterToken::new(n);
            let sum = &token + SimpleToken::new();
            let tokens = [
                Token::from(&token),
                sum.clone(),
                sum.child().into(),
                token.child().into(),
                &token + &token,
                &sum + token.child() + TimeoutToken::new(Duration::from_secs(3600)),
                Token::any([&token]),
                token.child().child().into(),
            ];
            let passed = AtomicU64::new(0);
            let barrier = Barrier::new(tokens.len());
            thread::scope(|scope| {
                for one in &tokens {
                    let (passed, barrier) = (&passed, &barrier);
                    scope.spawn(move || {
                        barrier.wait();
                        passed.fetch_add(passes(one), Ordering::Relaxed);
                    });
                }
            });
            assert_eq!(passed.into_inner(), n);
            for one in &tokens {
                assert!(one.cause().unwrap().is_from(&token));
            }
        });
    }
}

#[test]
fn eight_threads_share_one_absorbed_counter_exactly() {
    watchdog("eight threads that share a sum", || {
        let sum = SimpleToken::new() + CounterToken::new(20_000);
        let passed = AtomicU64::new(0);
        let barrier = Barrier::new(8);
        thread::scope(|scope| {
            for number in 0..8 {
                let (sum, passed, barrier) = (&sum, &passed, &barrier);
                scope.spawn(move || {
                    let own = if number % 2 == 0 {
                        sum.clone()
                    } else {
                        sum.child().into()
                    };
                    barrier.wait();
                    passed.fetch_add(passes(&own), Ordering::Relaxed);
                });
            }
        });
        assert_eq!(passed.into_inner(), 20_000);
    });
}
