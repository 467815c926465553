//! A `CounterToken` lets exactly `n` checks pass, over all threads and all sums together.

use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use cantok_core::{Cause, CounterToken, SimpleToken, TimeoutToken, Token};
use cantok_testkit::watchdog;

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
        assert_eq!(
            *token.cancellation().unwrap().cause(),
            Cause::Counter { limit: 2 }
        );
    }
    assert!(!token.cancel());
}

#[test]
fn the_check_that_spends_the_last_unit_cancels_nothing() {
    let token = CounterToken::new(1);
    let sum = &token + SimpleToken::new();
    assert!(token.check().is_ok());
    assert_eq!(token.remaining(), 0);
    for token in [&*token, &sum] {
        assert!(token.cancellation().is_none());
        assert!(!token.peek_cancelled());
        assert_eq!(token.wait_timeout(Duration::ZERO), None);
        assert!(token.on_cancel(|_| {}).unregister());
        assert!(token.to_string().ends_with("(not cancelled)"));
    }
    assert!(token.is_cancelled());
    assert!(token.cancellation().is_some());
    assert_eq!(sum.cancellation(), token.cancellation());
}

/// A counter of no units, and tokens that derive from it: by reference and by value.
fn derived_from_a_counter_of_zero(counter: &CounterToken) -> Vec<Token> {
    vec![
        counter.into(),
        counter.child().into(),
        Token::any([counter]),
        counter + SimpleToken::new(),
        SimpleToken::new() + TimeoutToken::new(Duration::from_secs(3600)) + counter,
        (counter + SimpleToken::new()).child().into(),
    ]
}

#[test]
fn a_counter_of_zero_is_cancelled_from_the_start() {
    let before = Instant::now();
    let counters = [CounterToken::new(0), CounterToken::new(0).direct_only()];
    let after = Instant::now();
    for counter in counters {
        for token in derived_from_a_counter_of_zero(&counter) {
            assert!(
                token
                    .to_string()
                    .ends_with("(the counter of 0 checks is used up)")
            );
            assert!(token.peek_cancelled());
            let error = token.cancellation().expect("cancelled before any check");
            assert_eq!(*error.cause(), Cause::Counter { limit: 0 });
            assert!(error.is_from(&counter));
            assert!((before..=after).contains(&error.at()));
            assert_eq!(token.check(), Err(error));
            assert_eq!(
                token.deadline().is_some(),
                format!("{token:?}").contains("3600s")
            );
        }
        assert_eq!((counter.remaining(), counter.limit()), (0, 0));
    }
    let owned = SimpleToken::new() + CounterToken::new(0);
    let error = owned.cancellation().expect("cancelled before any check");
    assert_eq!(*error.cause(), Cause::Counter { limit: 0 });
    assert!(!error.is_from(&owned));
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
fn a_counter_of_zero_cannot_be_cancelled_again() {
    for index in 0..6 {
        // Not asked before.
        let counter = CounterToken::new(0);
        let token = derived_from_a_counter_of_zero(&counter).swap_remove(index);
        assert!(!token.cancel());
        assert!(!token.cancel_with("too late"));
        assert!(!counter.cancel());
        let error = token.check().unwrap_err();
        assert_eq!(*error.cause(), Cause::Counter { limit: 0 });
        assert!(error.is_from(&counter));
    }
}

#[test]
fn a_counter_without_units_left_can_be_cancelled() {
    let token = CounterToken::new(1);
    assert!(token.keep_on());
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
    assert_eq!(*sum.cancellation().unwrap().cause(), Cause::Cancelled);
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
    let error = sum.cancellation().unwrap();
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
        assert_eq!(
            *sum.cancellation().unwrap().cause(),
            Cause::Counter { limit: n }
        );
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
    assert!(grandchild.cancellation().unwrap().is_from(&token));
    assert!(child.is_cancelled());
}

#[test]
fn a_counter_that_refuses_a_check_of_a_sum_is_cancelled_everywhere() {
    let token = CounterToken::new(1);
    let sum = &token + SimpleToken::new();
    let child = token.child();
    assert_eq!(passes(&sum), 1);
    assert!(token.cancellation().unwrap().is_from(&token));
    assert!(child.cancellation().unwrap().is_from(&token));
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
    assert!(sum.cancellation().unwrap().is_from(&a));
    assert!(b.keep_on());
}

#[test]
fn all_counters_are_peeked_at_for_zero_before_one_is_spent() {
    let plenty = CounterToken::new(5);
    let make = || {
        let spent = CounterToken::new(1);
        assert!(spent.keep_on());
        spent
    };
    let sums: [fn(&CounterToken, &CounterToken) -> Token; 6] = [
        |plenty, spent| plenty + spent,
        |plenty, spent| spent + plenty,
        |plenty, spent| Token::any([plenty, plenty, spent]),
        |plenty, spent| (plenty + SimpleToken::new()) + (spent + SimpleToken::new()),
        |plenty, spent| plenty + spent.clone(),
        |plenty, spent| plenty.child() + spent.child(),
    ];
    for sum in sums {
        let spent = make();
        let sum = sum(&plenty, &spent);
        assert!(spent.cancellation().is_none() && sum.cancellation().is_none());
        let error = sum.check().unwrap_err();
        assert_eq!(*error.cause(), Cause::Counter { limit: 1 });
        assert!(error.is_from(&spent));
        assert_eq!(plenty.remaining(), 5);
        assert!(
            spent.cancellation().is_some(),
            "the refused check cancels it"
        );
    }
    // Given by value.
    for sum in [&plenty + make(), make() + &plenty] {
        assert_eq!(
            *sum.check().unwrap_err().cause(),
            Cause::Counter { limit: 1 }
        );
        assert_eq!(plenty.remaining(), 5);
    }
}

#[test]
fn a_counter_of_zero_keeps_the_other_counters_from_being_spent() {
    let (plenty, empty) = (CounterToken::new(5), CounterToken::new(0));
    for sum in [
        &plenty + &empty,
        &empty + &plenty,
        Token::any([&plenty, &plenty, &empty]),
        (&plenty + SimpleToken::new()) + (&empty + SimpleToken::new()),
        &plenty + CounterToken::new(0),
        CounterToken::new(0) + &plenty,
    ] {
        let error = sum.check().unwrap_err();
        assert_eq!(*error.cause(), Cause::Counter { limit: 0 });
        assert_eq!(plenty.remaining(), 5);
    }
}

#[test]
fn a_counter_of_zero_behind_a_child_keeps_the_others_from_being_spent() {
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
    assert_eq!(
        *token.cancellation().unwrap().cause(),
        Cause::Counter { limit: 4 }
    );
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
fn a_direct_only_counter_cancels_sums_and_children_by_the_check_that_it_refuses() {
    for armed in [false, true] {
        let token = CounterToken::new(2).direct_only();
        let sum = &token + SimpleToken::new();
        let child = token.child();
        let keep_on = || {
            assert!(sum.keep_on() && child.keep_on());
            assert!(sum.cancellation().is_none() && child.cancellation().is_none());
        };
        if armed {
            (0..100).for_each(|_| keep_on());
        }
        assert!(token.keep_on());
        keep_on();
        assert!(token.keep_on());
        assert_eq!(token.remaining(), 0);
        // Sums and children see only that it is cancelled.
        keep_on();
        assert!(token.is_cancelled());
        assert!(sum.check().unwrap_err().is_from(&token));
        assert!(child.check().unwrap_err().is_from(&token));
    }
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
fn a_direct_only_counter_keeps_the_other_counters_from_being_spent_once_it_is_cancelled() {
    let plenty = CounterToken::new(5);
    let empty = CounterToken::new(0).direct_only();
    for sum in [&plenty + &empty, &empty + &plenty] {
        assert!(sum.check().unwrap_err().is_from(&empty));
    }
    assert_eq!(plenty.remaining(), 5);

    let direct = CounterToken::new(1).direct_only();
    let sum = &plenty + &direct;
    assert!(direct.keep_on());
    assert!(sum.keep_on(), "it was not refused");
    assert_eq!(plenty.remaining(), 4);
    assert!(direct.is_cancelled());
    assert!(sum.check().unwrap_err().is_from(&direct));
    assert_eq!(plenty.remaining(), 4);
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
                assert!(one.cancellation().unwrap().is_from(&token));
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
