//! What the Python library of the same name does, where this one promises the same.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use cantok_core::{
    Cause, ConditionToken, CounterToken, DefaultToken, SimpleToken, TimeoutToken, Token,
};
use cantok_testkit::watchdog;

/// One token of each kind that can be cancelled and is not.
fn live() -> [Token; 4] {
    [
        SimpleToken::new().into(),
        ConditionToken::new(|| false).into(),
        TimeoutToken::new(Duration::from_secs(15)).into(),
        CounterToken::new(15).into(),
    ]
}

/// One token of each kind that is cancelled by itself, and its cause.
fn fired() -> [(Token, Cause); 3] {
    [
        (ConditionToken::new(|| true).into(), Cause::Condition),
        (
            TimeoutToken::new(Duration::ZERO).into(),
            Cause::Timeout {
                after: Duration::ZERO,
            },
        ),
        (CounterToken::new(0).into(), Cause::Counter { limit: 0 }),
    ]
}

#[test]
fn cancel_works_on_every_kind_of_token() {
    for token in live() {
        assert!(!token.is_cancelled());
        assert!(token.keep_on());
        assert!(token.check().is_ok());
        token.cancel();
        assert!(token.is_cancelled());
        assert!(!token.keep_on());
        let error = token.check().unwrap_err();
        assert_eq!(*error.cause(), Cause::Cancelled);
        assert!(error.is_from(&token));
    }
}

#[test]
fn cancelling_twice_is_the_same_as_cancelling_once() {
    for token in live() {
        token.cancel();
        token.cancel();
        assert!(token.is_cancelled());
        assert_eq!(*token.check().unwrap_err().cause(), Cause::Cancelled);
    }
}

#[test]
fn a_token_that_is_cancelled_by_itself_says_what_it_was() {
    for (token, cause) in fired() {
        let error = token.check().unwrap_err();
        assert_eq!(*error.cause(), cause);
        assert!(error.is_from(&token));
        assert_eq!(*token.check().unwrap_err().cause(), cause);
        assert!(token.is_cancelled());
        assert!(!token.keep_on());
    }
}

#[test]
fn a_token_that_is_cancelled_in_time_reports_that_and_not_its_own_power() {
    let spent = CounterToken::new(1);
    assert!(spent.keep_on());
    for token in [
        Token::from(ConditionToken::new(|| true)),
        Token::from(spent),
    ] {
        assert!(token.cancel());
        assert_eq!(*token.check().unwrap_err().cause(), Cause::Cancelled);
    }
}

#[test]
fn a_token_with_another_inside_is_cancelled_with_it() {
    for number in 0..live().len() {
        for inner in live() {
            let outer = &live()[number];
            let token = outer + &inner;
            assert!(token.keep_on());
            assert!(token.check().is_ok());
            inner.cancel();
            assert!(token.is_cancelled());
            let error = token.check().unwrap_err();
            assert_eq!(*error.cause(), Cause::Cancelled);
            assert!(error.is_from(&inner));
            assert!(outer.keep_on());
            outer.cancel();
            assert!(token.cancellation().unwrap().is_from(&inner));
        }
    }
}

#[test]
fn a_token_with_another_inside_reports_what_happened_inside() {
    for outer in live() {
        for (inner, cause) in fired() {
            for token in [&outer + &inner, &inner + &outer, inner.child().into()] {
                let error = token.check().unwrap_err();
                assert_eq!(*error.cause(), cause);
                assert!(error.is_from(&inner));
            }
        }
        assert!(outer.keep_on());
    }
}

#[test]
fn three_tokens_of_any_kinds_add_up() {
    let kinds = live().len();
    for choice in 0..kinds.pow(3) {
        for number in 0..3 {
            let parts = [
                &live()[choice % kinds],
                &live()[choice / kinds % kinds],
                &live()[choice / kinds / kinds],
            ];
            let sum = parts[0] + parts[1] + parts[2];
            assert!(sum.keep_on());
            assert!(parts[number].cancel());
            assert!(sum.check().unwrap_err().is_from(parts[number]));
        }
    }
}

#[test]
fn a_sum_with_a_cancelled_token_is_cancelled() {
    for other in live() {
        for token in live() {
            token.cancel();
            assert!((&token + &other).is_cancelled());
            assert!((&other + &token).is_cancelled());
            assert!((token + &other).is_cancelled());
        }
        assert!(other.keep_on());
    }
}

#[test]
fn a_default_token_leaves_no_mark_on_a_sum() {
    for token in live() {
        let left = DefaultToken + &token;
        let right = &token + DefaultToken;
        assert!(left.keep_on());
        assert!(right.keep_on());
        token.cancel();
        assert!(left.cancellation().unwrap().is_from(&token));
        assert!(right.cancellation().unwrap().is_from(&token));
    }
}

#[test]
fn a_default_token_refuses_to_be_cancelled_and_goes_on() {
    let token = DefaultToken::new();
    assert!(token.keep_on());
    assert!(token.cancel().is_err());
    assert!(token.keep_on());
    assert!(!token.is_cancelled());
    assert!(token.check().is_ok());
}

#[test]
fn a_loop_under_a_counter_runs_as_often_as_the_counter_says() {
    for n in [0, 1, 5, 15] {
        let token = CounterToken::new(n);
        let mut rounds = 0;
        while token.keep_on() {
            rounds += 1;
            assert!(rounds <= n);
        }
        assert_eq!(rounds, n);
        assert_eq!(token.remaining(), 0);
    }
}

#[test]
fn threads_under_one_counter_run_as_often_as_the_counter_says() {
    for threads in [1, 2, 5] {
        watchdog("threads under one counter", move || {
            let token = CounterToken::new(10_000);
            let rounds = AtomicUsize::new(0);
            thread::scope(|scope| {
                for _ in 0..threads {
                    scope.spawn(|| {
                        while token.keep_on() {
                            rounds.fetch_add(1, Ordering::Relaxed);
                        }
                    });
                }
            });
            assert_eq!(rounds.into_inner(), 10_000);
        });
    }
}

#[test]
fn a_direct_counter_in_a_sum_is_left_alone_by_the_checks_of_the_sum() {
    let counter = CounterToken::new(5).direct_only();
    let sum = &counter + SimpleToken::new();
    for _ in 0..10 {
        assert!(sum.keep_on());
    }
    assert_eq!(counter.remaining(), 5);
    for _ in 0..5 {
        assert!(counter.keep_on());
        assert!(sum.keep_on());
    }
    assert!(counter.is_cancelled());
    assert!(sum.check().unwrap_err().is_from(&counter));
}

#[test]
fn a_counter_that_is_not_direct_is_spent_by_the_checks_of_the_sum() {
    let counter = CounterToken::new(5);
    let sum = &counter + SimpleToken::new();
    for left in (0..5).rev() {
        assert!(sum.keep_on());
        assert_eq!(counter.remaining(), left);
    }
    assert!(sum.is_cancelled());
    assert!(counter.is_cancelled());
}

#[test]
fn a_loop_under_a_condition_runs_until_the_condition_holds() {
    let asked = AtomicUsize::new(0);
    let token = ConditionToken::new(move || asked.fetch_add(1, Ordering::SeqCst) >= 5);
    let mut rounds = 0;
    while token.keep_on() {
        rounds += 1;
        assert!(rounds <= 5);
    }
    assert_eq!(rounds, 5);
}

#[test]
fn a_condition_that_fails_counts_as_its_default() {
    let failing = || ConditionToken::fallible(|| "kek".parse::<bool>());
    assert!(failing().keep_on());
    assert!(failing().on_error(false).keep_on());
    assert!(failing().on_error(true).is_cancelled());
}

#[test]
fn a_condition_that_held_once_holds_for_good() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let token = ConditionToken::new(move || counted.fetch_add(1, Ordering::SeqCst) == 2);
    assert!(token.keep_on());
    assert!(token.keep_on());
    assert!(token.is_cancelled());
    assert!(token.is_cancelled());
    assert!(token.check().is_err());
    assert_eq!(asked.load(Ordering::SeqCst), 3);
}

#[test]
fn a_condition_behind_another_that_holds_is_found() {
    for (outer, inner, fires_inside) in [(true, false, false), (false, true, true)] {
        let outer = ConditionToken::new(move || outer);
        let inner = ConditionToken::new(move || inner);
        let error = (&outer + &inner).check().unwrap_err();
        assert_eq!(error.is_from(&inner), fires_inside);
        assert_eq!(error.is_from(&outer), !fires_inside);
    }
    let (outer, inner) = (ConditionToken::new(|| true), ConditionToken::new(|| true));
    assert!((&outer + &inner).check().unwrap_err().is_from(&outer));
}

#[test]
fn a_zero_timeout_has_expired_at_every_check() {
    let token = TimeoutToken::new(Duration::ZERO);
    for _ in 0..2 {
        assert!(token.is_cancelled());
        assert!(!token.keep_on());
        assert!(token.check().is_err());
    }
}

#[test]
fn a_timeout_expires_and_not_before_its_time() {
    watchdog("a timeout to expire", || {
        let start = Instant::now();
        let timeout = Duration::from_millis(10);
        let token = TimeoutToken::new(timeout);
        while token.keep_on() {
            thread::yield_now();
        }
        assert!(start.elapsed() >= timeout);
        let error = token.check().unwrap_err();
        assert_eq!(*error.cause(), Cause::Timeout { after: timeout });
        assert!(token.is_cancelled());
    });
}

#[test]
fn of_two_timeouts_the_shorter_one_decides() {
    let (longer, shorter) = (
        TimeoutToken::new(Duration::from_secs(200)),
        TimeoutToken::new(Duration::from_secs(100)),
    );
    let deadline = shorter.deadline();
    assert_eq!((&longer + &shorter).deadline(), deadline);
    assert_eq!((&shorter + &longer).deadline(), deadline);
    assert_eq!((longer + shorter).deadline(), deadline);
}

#[test]
fn a_wait_for_a_cancelled_token_returns() {
    watchdog("waits for cancelled tokens", || {
        for token in live() {
            token.cancel();
            assert!(token.wait().is_from(&token));
        }
        for (token, cause) in fired() {
            assert_eq!(*token.wait().cause(), cause);
        }
    });
}

#[test]
fn a_wait_is_ended_by_a_cancel_on_another_thread() {
    watchdog("waits that are ended by a cancel", || {
        for token in live() {
            let barrier = Barrier::new(2);
            thread::scope(|scope| {
                scope.spawn(|| {
                    barrier.wait();
                    token.cancel();
                });
                barrier.wait();
                assert!(token.wait().is_from(&token));
            });
            assert!(token.is_cancelled());
        }
    });
}

#[test]
fn a_bounded_wait_that_runs_out_says_so_and_leaves_the_token_alone() {
    watchdog("waits that run out", || {
        for token in live().into_iter().chain([Token::from(DefaultToken)]) {
            assert!(token.wait_timeout(Duration::from_micros(100)).is_none());
            assert!(token.keep_on());
        }
    });
}

#[test]
fn text_about_a_token_says_whether_it_is_cancelled() {
    for token in live() {
        assert!(token.to_string().contains("not cancelled"));
        assert!(!format!("{token:?}").contains("cancelled"));
        token.cancel();
        assert!(!token.to_string().contains("not cancelled"));
        assert!(token.to_string().contains("cancelled"));
        assert!(format!("{token:?}").contains("cancelled"));
    }
}

#[test]
fn text_about_a_token_does_not_call_the_operand_that_is_not_cancelled_cancelled() {
    let (one, other) = (SimpleToken::new(), SimpleToken::new());
    let sum = &one + &other;
    one.cancel();
    assert!(sum.is_cancelled());
    assert!(format!("{one:?}").contains("cancelled"));
    assert!(!format!("{other:?}").contains("cancelled"));
}

#[test]
fn a_token_serves_as_an_optional_argument() {
    fn run(token: impl Into<Token>) -> usize {
        let token = token.into();
        let mut rounds = 0;
        while rounds < 10 && token.keep_on() {
            rounds += 1;
        }
        rounds
    }
    let cancelled = SimpleToken::new();
    cancelled.cancel();
    assert_eq!(run(DefaultToken), 10);
    assert_eq!(run(SimpleToken::new()), 10);
    assert_eq!(run(CounterToken::new(4)), 4);
    assert_eq!(run(&cancelled), 0);
}

#[test]
fn the_restrictions_of_a_sum_hold_together() {
    let drawn = Arc::new(AtomicUsize::new(0));
    let number = Arc::clone(&drawn);
    let token = SimpleToken::new()
        + ConditionToken::new(move || number.load(Ordering::SeqCst) == 1984)
        + TimeoutToken::new(Duration::from_secs(60))
        + CounterToken::new(400);
    let mut rounds = 0;
    while token.keep_on() {
        rounds += 1;
        drawn.store(rounds, Ordering::SeqCst);
        assert!(rounds <= 400);
    }
    assert_eq!(rounds, 400);
    let error = token.check().unwrap_err();
    assert_eq!(*error.cause(), Cause::Counter { limit: 400 });
}
