//! Guarantee 1: once cancelled, always cancelled, with the first cause in time.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, OnceLock};
use std::thread;
use std::time::Duration;

use cantok_core::{
    CancellationError, Cause, ConditionToken, CounterToken, SimpleToken, TimeoutToken, Token,
};

use cantok_testkit::shapes::{HOUR, shapes};
use cantok_testkit::watchdog;

fn text(error: &CancellationError) -> String {
    match error.cause() {
        Cause::Reason(reason) => reason.to_string(),
        other => format!("{other:?}"),
    }
}

#[test]
fn the_first_of_racing_reasons_stays() {
    watchdog("four cancellers with a reason each", || {
        for _ in 0..200 {
            let token = SimpleToken::new();
            let derived = shapes(&token);
            let start = Barrier::new(4);
            let winners: Vec<_> = thread::scope(|scope| {
                let cancellers: Vec<_> = (0..4)
                    .map(|number| {
                        let (token, start) = (&token, &start);
                        scope.spawn(move || {
                            start.wait();
                            let reason = format!("reason {number}");
                            let won = token.cancel_with(reason.clone());
                            let seen = text(&token.cancellation().expect("cancelled"));
                            (won, reason, seen)
                        })
                    })
                    .collect();
                cancellers
                    .into_iter()
                    .map(|canceller| canceller.join().expect("no panic"))
                    .collect()
            });
            let first: Vec<_> = winners.iter().filter(|(won, ..)| *won).collect();
            assert_eq!(first.len(), 1);
            let reason = &first[0].1;
            assert!(winners.iter().all(|(.., seen)| seen == reason));
            for (shape, token) in &derived {
                let error = token.cancellation().expect("cancelled");
                assert_eq!(&text(&error), reason, "{shape}");
            }
        }
    });
}

#[test]
fn a_sum_keeps_the_cause_that_it_gave_first() {
    watchdog("two cancelled operands and four readers", || {
        for round in 0..200 {
            let (left, right) = (SimpleToken::new(), SimpleToken::new());
            let sum = &left + &right;
            let token = if round % 2 == 0 {
                sum
            } else {
                sum.child().into()
            };
            if round % 4 < 2 {
                assert!((0..100).all(|_| token.keep_on()));
            }
            let start = Barrier::new(6);
            thread::scope(|scope| {
                scope.spawn(|| {
                    start.wait();
                    left.cancel_with("left")
                });
                scope.spawn(|| {
                    start.wait();
                    right.cancel_with("right")
                });
                let readers: Vec<_> = (0..4)
                    .map(|_| {
                        scope.spawn(|| {
                            start.wait();
                            let first = loop {
                                if let Some(error) = token.cancellation() {
                                    break text(&error);
                                }
                            };
                            for _ in 0..20 {
                                let again = token.cancellation().expect("one way");
                                assert_eq!(text(&again), first);
                                let again = token.check().expect_err("one way");
                                assert_eq!(text(&again), first);
                            }
                            first
                        })
                    })
                    .collect();
                let seen: Vec<_> = readers
                    .into_iter()
                    .map(|reader| reader.join().expect("no panic"))
                    .collect();
                assert!(seen.iter().all(|text| *text == seen[0]), "{seen:?}");
            });
        }
    });
}

#[test]
fn a_cancel_and_a_deadline_agree_on_who_was_first() {
    watchdog("a cancel at the deadline", || {
        for round in 0..300 {
            let token = TimeoutToken::new(Duration::from_micros(round % 100));
            let derived = token.child();
            let done = AtomicBool::new(false);
            thread::scope(|scope| {
                let reader = scope.spawn(|| {
                    let mut first = None;
                    while !done.load(Ordering::SeqCst) {
                        let seen = derived.cancellation().map(|error| error.cause().clone());
                        if first.is_some() {
                            assert_eq!(seen, first, "the cause has changed");
                        }
                        first = seen;
                    }
                });
                for _ in 0..round % 50 {
                    std::hint::spin_loop();
                }
                let won = token.cancel();
                let error = token
                    .cancellation()
                    .expect("cancelled by the one or the other");
                let expected = if won {
                    Cause::Cancelled
                } else {
                    let after = Duration::from_micros(round % 100);
                    Cause::Timeout { after }
                };
                assert_eq!(error.cause(), &expected);
                assert_eq!(
                    derived.cancellation().expect("cancelled").cause(),
                    &expected
                );
                done.store(true, Ordering::SeqCst);
                reader.join().expect("no panic");
            });
        }
    });
}

#[test]
fn a_cancel_that_comes_after_the_deadline_or_another_cancel_is_not_the_cause() {
    for (shape, token) in shapes(&TimeoutToken::new(Duration::ZERO)) {
        assert!(!token.cancel(), "{shape}");
        assert!(!token.cancel_with("too late"), "{shape}");
        let error = token.cancellation().expect("cancelled");
        let after = Duration::ZERO;
        assert_eq!(error.cause(), &Cause::Timeout { after }, "{shape}");
    }
    let source = SimpleToken::new();
    let tokens = shapes(&source);
    source.cancel_with("closing time");
    for (shape, token) in tokens {
        assert!(!token.cancel(), "{shape}");
        let error = token.cancellation().expect("cancelled");
        assert_eq!(text(&error), "closing time", "{shape}");
    }
}

#[test]
fn a_condition_that_was_met_is_not_called_by_checks_that_begin_later() {
    watchdog("checks of a condition that was met", || {
        // What runs after the condition has another thread check, which begins after the condition was met.
        let calls = Arc::<AtomicUsize>::default();
        let own = Arc::<OnceLock<Token>>::default();
        let count = |weight: usize| {
            let calls = calls.clone();
            move || {
                calls.fetch_add(weight, Ordering::SeqCst);
            }
        };
        let (called, ended) = (count(10), count(100));
        let condition = ConditionToken::new(move || {
            called();
            true
        })
        .before(count(1))
        .after({
            let own = own.clone();
            move || {
                let token = own.get().expect("set before the first check").clone();
                let other = thread::spawn(move || token.is_cancelled());
                assert!(other.join().expect("no panic"));
                ended();
            }
        });
        let token = condition.child();
        own.set((&token).into()).expect("not set before");
        assert!(token.is_cancelled());
        assert!(condition.is_cancelled());
        assert_eq!(calls.load(Ordering::SeqCst), 111);

        // Once one of many threads knows, no thread calls it any more.
        for _ in 0..100 {
            let calls = Arc::<AtomicUsize>::default();
            let condition = ConditionToken::new({
                let calls = calls.clone();
                move || calls.fetch_add(1, Ordering::SeqCst) >= 20
            });
            let tokens = shapes(&condition);
            let start = Barrier::new(4);
            thread::scope(|scope| {
                for number in 0..4 {
                    let (tokens, calls, start) = (&tokens, &calls, &start);
                    scope.spawn(move || {
                        start.wait();
                        while tokens[number].1.keep_on() {}
                        for (_, token) in tokens {
                            assert!(token.is_cancelled());
                        }
                        // Each of the other three may have been about to call it.
                        assert!(calls.load(Ordering::SeqCst) <= 24);
                    });
                }
            });
            let calls_before = calls.load(Ordering::SeqCst);
            assert!(tokens.iter().all(|(_, token)| token.is_cancelled()));
            assert_eq!(calls.load(Ordering::SeqCst), calls_before);
        }
    });
}

#[test]
fn nothing_that_happens_later_changes_the_answer() {
    watchdog("peeks and checks of a cancelled token", || {
        let met = Arc::new(AtomicBool::new(true));
        let condition = ConditionToken::new({
            let met = met.clone();
            move || met.load(Ordering::SeqCst)
        });
        assert!(condition.is_cancelled());
        met.store(false, Ordering::SeqCst);
        let sources: [Token; 4] = [
            condition.into(),
            TimeoutToken::new(Duration::ZERO).into(),
            CounterToken::new(0).into(),
            SimpleToken::new().into(),
        ];
        sources[3].cancel();
        for source in &sources {
            let cause = source.check().expect_err("cancelled").cause().clone();
            for (shape, token) in shapes(source) {
                let late = &token + TimeoutToken::new(HOUR);
                assert!(!token.cancel_with("too late"), "{shape}");
                assert!(!source.cancel(), "{shape}");
                for token in [&token, source, &late] {
                    assert!(token.is_cancelled(), "{shape}");
                    assert!(!token.keep_on(), "{shape}");
                    let error = token.check().expect_err("cancelled");
                    assert_eq!(error.cause(), &cause, "{shape}");
                    assert!(error.is_from(source), "{shape}");
                    assert_eq!(token.wait().cause(), &cause, "{shape}");
                    let error = token.cancellation().expect("cancelled");
                    assert_eq!(error.cause(), &cause, "{shape}");
                }
            }
        }
    });
}
