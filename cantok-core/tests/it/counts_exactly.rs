//! Of a counter of `n` exactly `n` checks pass, over all threads, sums and children together.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use cantok_core::{Cause, ConditionToken, CounterToken, SimpleToken, TimeoutToken, Token};
use cantok_testkit::watchdog;

const THREADS: usize = 8;
const HOUR: Duration = Duration::from_secs(3600);

/// The token that thread `number` checks: the counter itself or one of the ways to derive from it.
fn derived(counter: &CounterToken, shared: &Token, number: usize) -> Token {
    match number {
        0 => counter.into(),
        1 => counter.child().into(),
        2 => counter + TimeoutToken::new(HOUR),
        3 => shared.clone(),
        4 => shared.child().into(),
        5 => (counter + counter) + (shared + counter),
        6 => ConditionToken::new(|| false) + counter,
        _ => (counter.child() + shared).child().child().into(),
    }
}

/// How many checks pass when every thread checks its token until it is refused.
fn passed_by_all(tokens: &[Token]) -> usize {
    let start = Barrier::new(tokens.len());
    let passed = AtomicUsize::new(0);
    thread::scope(|scope| {
        for token in tokens {
            let (start, passed) = (&start, &passed);
            scope.spawn(move || {
                start.wait();
                let mut own = 0;
                while token.keep_on() {
                    own += 1;
                }
                passed.fetch_add(own, Ordering::SeqCst);
                assert!(token.cancellation().is_some());
            });
        }
    });
    passed.load(Ordering::SeqCst)
}

#[test]
fn one_counter_passes_n_checks_of_eight_threads() {
    watchdog("eight threads and one counter", || {
        for n in [0, 1, 2, 7, 8, 9, 100, 50_000] {
            let counter = CounterToken::new(n);
            let tokens: Vec<Token> = (0..THREADS).map(|_| (&counter).into()).collect();
            assert_eq!(passed_by_all(&tokens), n as usize);
            assert_eq!(counter.remaining(), 0);
            assert_eq!(counter.limit(), n);
        }
    });
}

#[test]
fn direct_checks_sums_and_children_share_the_n_units() {
    watchdog("eight threads, sums and children", || {
        for n in [0, 1, 2, 7, 8, 9, 100, 20_000] {
            let counter = CounterToken::new(n);
            let shared = &counter + SimpleToken::new();
            let tokens: Vec<Token> = (0..THREADS)
                .map(|number| derived(&counter, &shared, number))
                .collect();
            assert_eq!(passed_by_all(&tokens), n as usize);
            assert_eq!(counter.remaining(), 0);
            for token in &tokens {
                let error = token.check().expect_err("used up");
                assert_eq!(error.cause(), &Cause::Counter { limit: n });
                assert!(error.is_from(&counter));
            }
        }
    });
}

#[test]
fn the_last_unit_goes_to_one_thread() {
    watchdog("eight threads and few units", || {
        let rounds = 500;
        let counters: Vec<_> = (0..rounds).map(|n| CounterToken::new(n % 4)).collect();
        let shared: Vec<Token> = counters
            .iter()
            .map(|counter| counter + SimpleToken::new())
            .collect();
        let passed: Vec<_> = counters.iter().map(|_| AtomicUsize::new(0)).collect();
        let start = Barrier::new(THREADS);
        thread::scope(|scope| {
            for number in 0..THREADS {
                let (counters, shared, passed, start) = (&counters, &shared, &passed, &start);
                scope.spawn(move || {
                    for round in 0..counters.len() {
                        let token = derived(&counters[round], &shared[round], number);
                        start.wait();
                        for _ in 0..2 {
                            if token.check().is_ok() {
                                passed[round].fetch_add(1, Ordering::SeqCst);
                            }
                        }
                    }
                });
            }
        });
        for (counter, passed) in counters.iter().zip(&passed) {
            assert_eq!(passed.load(Ordering::SeqCst) as u64, counter.limit());
        }
    });
}

#[test]
fn waits_and_callbacks_beside_the_checks_change_no_count() {
    watchdog("eight threads, a waiter and a callback", || {
        for n in [1, 10, 1000] {
            let counter = CounterToken::new(n);
            let shared = &counter + SimpleToken::new();
            let tokens: Vec<Token> = (0..THREADS)
                .map(|number| derived(&counter, &shared, number))
                .collect();
            let waited_on = &shared + TimeoutToken::new(HOUR);
            let run = Arc::<AtomicUsize>::default();
            let registration = shared.child().on_cancel(|_| ());
            let callback = {
                let run = run.clone();
                counter.on_cancel(move |_| {
                    run.fetch_add(1, Ordering::SeqCst);
                })
            };
            let passed = thread::scope(|scope| {
                let waiter = scope.spawn(|| waited_on.wait());
                let passed = passed_by_all(&tokens);
                assert!(waiter.join().expect("no panic").is_from(&counter));
                passed
            });
            assert_eq!(passed, n as usize);
            drop((registration, callback));
            assert_eq!(run.load(Ordering::SeqCst), 1);
        }
    });
}

#[test]
fn peeks_on_other_threads_spend_nothing() {
    watchdog("peeks beside checks", || {
        let n = 5000;
        let counter = CounterToken::new(n);
        let token = &counter + TimeoutToken::new(HOUR);
        let tokens: Vec<Token> = (0..4).map(|_| token.child().into()).collect();
        let passed = thread::scope(|scope| {
            scope.spawn(|| {
                while token.cancellation().is_none() && counter.remaining() > 0 {
                    let _ = (token.deadline(), token.can_be_cancelled());
                    assert!(!format!("{token:?} {token}").is_empty());
                    assert!(
                        token
                            .child()
                            .cancellation()
                            .is_none_or(|e| e.is_from(&counter))
                    );
                }
            });
            passed_by_all(&tokens)
        });
        assert_eq!(passed, n as usize);
    });
}

#[test]
fn a_direct_only_counter_is_spent_by_its_own_checks_alone() {
    watchdog("a direct only counter on eight threads", || {
        let n = 2000;
        let counter = CounterToken::new(n).direct_only();
        let sum = &counter + SimpleToken::new();
        let child = counter.child();
        assert!((0..100).all(|_| sum.keep_on() && child.keep_on()));
        assert_eq!(counter.remaining(), n);
        let direct: Vec<Token> = (0..THREADS).map(|_| (&counter).into()).collect();
        let passed = thread::scope(|scope| {
            // Any number of these may pass, but none of them spends a unit.
            scope.spawn(|| while sum.keep_on() {});
            scope.spawn(|| while child.keep_on() {});
            passed_by_all(&direct)
        });
        assert_eq!(passed, n as usize);
        assert!(sum.check().is_err_and(|error| error.is_from(&counter)));
    });
}

#[test]
fn of_two_counters_the_smaller_decides() {
    watchdog("two counters", || {
        // One thread: all are peeked at for zero before one is spent.
        let (five, three) = (CounterToken::new(5), CounterToken::new(3));
        for sum in [&five + &three, &three + &five] {
            let left = five.remaining().min(three.remaining());
            for _ in 0..left {
                assert!(sum.keep_on());
            }
            assert!(sum.check().is_err_and(|error| error.is_from(&three)));
            assert_eq!((five.remaining(), three.remaining()), (2, 0));
        }
        assert!(!five.is_cancelled());

        // Eight threads may waste units of the larger one, never one of the smaller.
        for (first, second) in [(100, 1000), (1000, 100)] {
            let (first, second) = (CounterToken::new(first), CounterToken::new(second));
            let sum = &first + &second;
            let tokens: Vec<Token> = (0..THREADS).map(|_| sum.clone()).collect();
            let passed = passed_by_all(&tokens);
            assert_eq!(passed, 100);
            let spent = 1100 - first.remaining() - second.remaining();
            assert!(spent >= 200, "each check that passed spent one of each");
        }
    });
}

#[test]
fn each_of_many_counters_and_conditions_is_called_once_a_check() {
    for width in [1, 2, 8, 15, 16, 17, 18, 40, 300] {
        let counters: Vec<_> = (0..width).map(|_| CounterToken::new(100)).collect();
        let calls = Arc::<AtomicUsize>::default();
        let conditions: Vec<_> = (0..width)
            .map(|_| {
                let calls = calls.clone();
                ConditionToken::new(move || {
                    calls.fetch_add(1, Ordering::SeqCst);
                    false
                })
            })
            .collect();
        let wide = Token::any(&counters) + Token::any(&conditions);
        let nested = counters.iter().zip(&conditions).fold(
            SimpleToken::new().into(),
            |sum: Token, (counter, condition)| &(&sum + counter) + &condition.child(),
        );
        let both = Token::any([&nested, &wide, &nested]).child() + &counters[0] + &conditions[0];
        for (round, token) in [&wide, &nested, &both].into_iter().enumerate() {
            for check in 1..=20 {
                assert!(token.keep_on(), "{width} of each");
                let checks = round * 20 + check;
                let left = 100 - checks as u64;
                let is_left = |counter: &CounterToken| counter.remaining() == left;
                assert!(counters.iter().all(is_left), "{width} counters");
                let called = calls.load(Ordering::SeqCst);
                assert_eq!(called, width * checks, "{width} conditions");
            }
        }
    }
}

#[test]
fn a_cancelled_token_spends_nothing_more() {
    let counter = CounterToken::new(10);
    let stop = SimpleToken::new();
    let token = &counter + &stop;
    assert!(token.keep_on());
    stop.cancel();
    for _ in 0..100 {
        assert!(!token.keep_on());
    }
    assert_eq!(counter.remaining(), 9);
    assert!(counter.keep_on());
    assert_eq!(counter.remaining(), 8);
}
