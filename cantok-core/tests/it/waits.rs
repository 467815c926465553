//! A wait ends when the token is cancelled, by whatever means, or when its time has run out, and it spends nothing.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use cantok_core::{
    CancellationError, Cause, ConditionToken, CounterToken, DefaultToken, SimpleToken,
    TimeoutToken, Token,
};
use cantok_testkit::shapes::{HOUR, shapes};
use cantok_testkit::watchdog;

/// Starts a wait and `cancel` at the same moment on two threads and returns what the wait returned.
fn wait_while(token: &Token, cancel: impl FnOnce()) -> CancellationError {
    let start = Barrier::new(2);
    thread::scope(|scope| {
        let waiter = scope.spawn(|| {
            start.wait();
            token.wait()
        });
        start.wait();
        cancel();
        waiter.join().expect("a wait does not panic")
    })
}

/// Runs `round` once for each shape, with a new source each time.
fn for_each_shape(
    new_source: impl Fn() -> Token,
    round: impl Fn(&str, &Token, &Token) + Send + 'static,
) {
    for index in 0..shapes(&new_source()).len() {
        let source = new_source();
        let (shape, token) = shapes(&source).swap_remove(index);
        round(shape, &source, &token);
    }
}

#[test]
fn a_wait_ends_when_another_thread_cancels() {
    watchdog("a wait on a cancelled token", || {
        for _ in 0..50 {
            for_each_shape(
                || SimpleToken::new().into(),
                |shape, source, token| {
                    let error = wait_while(token, || assert!(source.cancel(), "{shape}"));
                    assert_eq!(error.cause(), &Cause::Cancelled, "{shape}");
                    assert!(error.is_from(source), "{shape}");
                    assert!(token.is_cancelled(), "{shape}");
                },
            );
        }
    });
}

#[test]
fn a_wait_reports_the_reason() {
    watchdog("a wait on a token cancelled with a reason", || {
        for_each_shape(
            || SimpleToken::new().into(),
            |shape, source, token| {
                let error = wait_while(token, || assert!(source.cancel_with("closing time")));
                let Cause::Reason(reason) = error.cause() else {
                    panic!("{shape}: {:?}", error.cause());
                };
                assert_eq!(reason.to_string(), "closing time", "{shape}");
            },
        );
    });
}

#[test]
fn a_wait_started_after_the_cancel_ends_at_once() {
    watchdog("a wait on a token that is cancelled already", || {
        for_each_shape(
            || SimpleToken::new().into(),
            |shape, source, token| {
                source.cancel();
                assert!(token.wait().is_from(source), "{shape}");
                assert!(token.wait().is_from(source), "a second wait, {shape}");
            },
        );
    });
}

#[test]
fn every_waiter_is_woken() {
    watchdog("32 waiters on one token", || {
        for _ in 0..20 {
            let token = SimpleToken::new();
            let start = Barrier::new(33);
            thread::scope(|scope| {
                let waiters: Vec<_> = (0..32)
                    .map(|waiter| {
                        let token: Token = match waiter % 3 {
                            0 => (&token).into(),
                            1 => token.child().into(),
                            _ => &token + TimeoutToken::new(HOUR),
                        };
                        let start = &start;
                        scope.spawn(move || {
                            start.wait();
                            token.wait()
                        })
                    })
                    .collect();
                start.wait();
                assert!(token.cancel());
                for waiter in waiters {
                    let error = waiter.join().expect("a wait does not panic");
                    assert!(error.is_from(&token));
                }
            });
        }
    });
}

#[test]
fn a_wait_ends_at_the_deadline_and_not_before() {
    watchdog("a wait on a deadline", || {
        let after = Duration::from_millis(3);
        let start = Instant::now();
        for_each_shape(
            || TimeoutToken::new(Duration::from_millis(3)).into(),
            move |shape, source, token| {
                let deadline = token.deadline().expect("a deadline");
                let error = token.wait();
                assert!(Instant::now() >= deadline, "{shape}: early");
                assert!(deadline >= start + after, "{shape}: a deadline too soon");
                assert_eq!(error.cause(), &Cause::Timeout { after }, "{shape}");
                assert!(error.is_from(source), "{shape}");
            },
        );
    });
}

#[test]
fn the_earliest_deadline_ends_the_wait() {
    watchdog("a wait on three deadlines", || {
        let near = TimeoutToken::new(Duration::from_millis(5));
        let far = TimeoutToken::new(HOUR);
        let never = TimeoutToken::new(Duration::MAX);
        let error = (&never + &far + &near).wait();
        assert!(error.is_from(&near));
        assert!(!far.is_cancelled());
        assert!(!never.is_cancelled());
    });
}

#[test]
fn a_deadline_that_has_passed_ends_the_wait_at_once() {
    watchdog("a wait on a passed deadline", || {
        for_each_shape(
            || TimeoutToken::new(Duration::ZERO).into(),
            |shape, source, token| {
                let error = token.wait();
                let after = Duration::ZERO;
                assert_eq!(error.cause(), &Cause::Timeout { after }, "{shape}");
                assert!(error.is_from(source), "{shape}");
            },
        );
        let error = TimeoutToken::at(Instant::now()).wait();
        assert!(matches!(error.cause(), Cause::Timeout { .. }));
        if let Some(past) = Instant::now().checked_sub(Duration::from_millis(1)) {
            let error = TimeoutToken::at(past).wait();
            assert!(matches!(error.cause(), Cause::Timeout { .. }));
        }
    });
}

#[test]
fn a_condition_is_polled_for_the_waiter_without_a_check() {
    watchdog("a wait on a condition", || {
        let shape_count = shapes(&SimpleToken::new()).len();
        for index in 0..shape_count {
            let (calls, met) = (Arc::<AtomicUsize>::default(), Arc::<AtomicBool>::default());
            let condition = ConditionToken::new({
                let (calls, met) = (calls.clone(), met.clone());
                move || {
                    calls.fetch_add(1, Ordering::Relaxed);
                    met.load(Ordering::Relaxed)
                }
            });
            let (shape, token) = shapes(&condition).swap_remove(index);
            let error = wait_while(&token, || {
                while calls.load(Ordering::Relaxed) < 3 {
                    thread::yield_now();
                }
                met.store(true, Ordering::Relaxed);
            });
            assert_eq!(error.cause(), &Cause::Condition, "{shape}");
            assert!(error.is_from(&condition), "{shape}");
        }
    });
}

#[test]
fn a_check_that_meets_the_condition_wakes_the_waiters() {
    watchdog("a wait for a condition that another thread meets", || {
        for _ in 0..20 {
            let home = thread::current().id();
            for_each_shape(
                // Only this thread's calls meet it, so the waiter's own polling never does.
                move || {
                    ConditionToken::new(move || thread::current().id() == home)
                        .poll_interval(HOUR)
                        .into()
                },
                |shape, source, token| {
                    let other = source + SimpleToken::new();
                    let error = wait_while(token, || assert!(other.is_cancelled(), "{shape}"));
                    assert_eq!(error.cause(), &Cause::Condition, "{shape}");
                    assert!(error.is_from(source), "{shape}");
                },
            );
        }
    });
}

#[test]
fn a_counter_of_zero_ends_the_wait_at_once() {
    watchdog("a wait on a counter of zero", || {
        for_each_shape(
            || CounterToken::new(0).into(),
            |shape, source, token| {
                let error = token.wait();
                assert_eq!(error.cause(), &Cause::Counter { limit: 0 }, "{shape}");
                assert!(error.is_from(source), "{shape}");
            },
        );
    });
}

#[test]
fn a_wait_on_a_spent_counter_lasts_until_a_check_is_refused() {
    watchdog("a wait on a spent counter", || {
        for shape in 0..shapes(&Token::never()).len() {
            let counter = CounterToken::new(1);
            assert!(counter.check().is_ok());
            let (shape, token) = shapes(&counter).swap_remove(shape);
            assert!(token.wait_timeout(Duration::ZERO).is_none(), "{shape}");
            let limit = Duration::from_millis(1);
            assert!(token.wait_timeout(limit).is_none(), "{shape}");
            assert!(
                counter.cancellation().is_none(),
                "{shape}: a wait cancels nothing"
            );
            let error = wait_while(&token, || assert!(counter.is_cancelled(), "{shape}"));
            assert_eq!(error.cause(), &Cause::Counter { limit: 1 }, "{shape}");
            assert!(error.is_from(&counter), "{shape}");
        }
    });
}

/// Spends the units of a counter by checks of `checked`, and then has one refused. Returns an instant between the last
/// check that passes and that one.
fn use_up(checked: &Token, units: u32) -> Instant {
    for check in 1..=units {
        assert!(checked.check().is_ok(), "check {check} of {units}");
    }
    assert!(checked.cancellation().is_none());
    let between = Instant::now();
    assert!(checked.check().is_err());
    between
}

#[test]
fn the_check_that_spends_the_last_unit_passes_and_the_refused_one_ends_the_waits() {
    watchdog("a wait on a counter that another thread spends", || {
        for _ in 0..30 {
            let shape_count = shapes(&SimpleToken::new()).len();
            for index in 0..shape_count {
                let counter = CounterToken::new(3);
                let (shape, token) = shapes(&counter).swap_remove(index);
                let mut last = None;
                let error = wait_while(&token, || last = Some(use_up(&counter, 3)));
                assert_eq!(error.cause(), &Cause::Counter { limit: 3 }, "{shape}");
                assert!(error.is_from(&counter), "{shape}");
                assert!(Some(error.at()) >= last, "{shape}: ended by the last unit");
                assert!(counter.is_cancelled(), "{shape}");
            }
        }
    });
}

#[test]
fn a_direct_only_counter_that_refuses_a_check_ends_the_waits_on_sums() {
    watchdog("a wait on a sum with a direct only counter", || {
        for _ in 0..100 {
            let counter = CounterToken::new(2).direct_only();
            let token = (&counter + SimpleToken::new()).child();
            let mut last = None;
            let error = wait_while(&token, || last = Some(use_up(&counter, 2)));
            assert!(error.is_from(&counter));
            assert!(Some(error.at()) >= last);
        }
    });
}

#[test]
fn a_counter_that_refuses_a_check_of_one_sum_ends_the_wait_on_another() {
    watchdog("a wait on a counter that a sum spends", || {
        for _ in 0..100 {
            let counter = CounterToken::new(2);
            let waited_on = &counter + TimeoutToken::new(HOUR);
            let checked = (SimpleToken::new() + &counter).child();
            let mut last = None;
            let error = wait_while(&waited_on, || last = Some(use_up(&checked, 2)));
            assert!(error.is_from(&counter));
            assert!(Some(error.at()) >= last);
            assert!(counter.cancellation().is_some());
        }
    });
}

#[test]
fn a_wait_spends_no_counter() {
    watchdog("waits on counters", || {
        let (first, second) = (CounterToken::new(1), CounterToken::new(5));
        let stop = SimpleToken::new();
        let token = &first + &second + &stop;
        for _ in 0..100 {
            assert!(token.wait_timeout(Duration::ZERO).is_none());
            assert!(first.wait_timeout(Duration::ZERO).is_none());
        }
        assert!(token.wait_timeout(Duration::from_millis(5)).is_none());
        assert!(wait_while(&token, || assert!(stop.cancel())).is_from(&stop));
        assert_eq!((first.remaining(), second.remaining()), (1, 5));
    });
}

#[test]
fn a_wait_that_runs_out_returns_none_and_not_early() {
    watchdog("waits that run out", || {
        let d = Duration::from_millis(2);
        let live = [
            Token::never(),
            SimpleToken::new().into(),
            TimeoutToken::new(HOUR).into(),
            TimeoutToken::new(Duration::MAX).into(),
            ConditionToken::new(|| false).into(),
            ConditionToken::new(|| false).poll_interval(HOUR).into(),
            CounterToken::new(1).into(),
        ];
        for source in &live {
            for (shape, token) in shapes(source) {
                let start = Instant::now();
                assert!(token.wait_timeout(d).is_none(), "{token:?}, {shape}");
                assert!(start.elapsed() >= d, "{token:?}, {shape}: early");
                let at = Instant::now() + d;
                assert!(token.wait_deadline(at).is_none(), "{token:?}, {shape}");
                assert!(Instant::now() >= at, "{token:?}, {shape}: early");
            }
        }
    });
}

#[test]
fn a_wait_of_zero_checks_once() {
    watchdog("waits of no time", || {
        let calls = Arc::<AtomicUsize>::default();
        let met = Arc::<AtomicBool>::default();
        let condition = ConditionToken::new({
            let (calls, met) = (calls.clone(), met.clone());
            move || {
                calls.fetch_add(1, Ordering::Relaxed);
                met.load(Ordering::Relaxed)
            }
        });
        let token = &condition + SimpleToken::new();
        assert!(token.wait_timeout(Duration::ZERO).is_none());
        assert_eq!(calls.load(Ordering::Relaxed), 1);
        assert!(condition.wait_timeout(Duration::ZERO).is_none());
        assert_eq!(calls.load(Ordering::Relaxed), 2);
        met.store(true, Ordering::Relaxed);
        let error = token.wait_timeout(Duration::ZERO).expect("a met condition");
        assert!(error.is_from(&condition));
        assert_eq!(calls.load(Ordering::Relaxed), 3);
        assert!(condition.wait_timeout(Duration::ZERO).is_some());
        assert_eq!(calls.load(Ordering::Relaxed), 3, "called after it was met");

        let zero = Duration::ZERO;
        assert!(SimpleToken::new().wait_timeout(zero).is_none());
        assert!(DefaultToken::new().wait_timeout(zero).is_none());
        assert!(TimeoutToken::new(HOUR).wait_timeout(zero).is_none());
        assert!(TimeoutToken::new(zero).wait_timeout(zero).is_some());
        assert!(CounterToken::new(1).wait_timeout(zero).is_none());
        assert!(CounterToken::new(0).wait_timeout(zero).is_some());
    });
}

#[test]
fn a_wait_that_runs_out_checks_a_last_time() {
    watchdog("a condition that is met in the meantime", || {
        let calls = AtomicUsize::new(0);
        let condition = ConditionToken::new(move || calls.fetch_add(1, Ordering::Relaxed) > 0);
        let token = condition.poll_interval(HOUR).child();
        // The first call is the wait's first question; no other is due within the hour.
        let error = token.wait_timeout(Duration::from_millis(1));
        assert!(error.is_some_and(|error| error.cause() == &Cause::Condition));
    });
}

#[test]
fn being_cancelled_beats_running_out() {
    watchdog("waits that run out as the token is cancelled", || {
        for_each_shape(
            || SimpleToken::new().into(),
            |shape, source, token| {
                source.cancel();
                assert!(token.wait_timeout(Duration::ZERO).is_some(), "{shape}");
                assert!(token.wait_deadline(Instant::now()).is_some(), "{shape}");
                if let Some(past) = Instant::now().checked_sub(Duration::from_millis(1)) {
                    assert!(token.wait_deadline(past).is_some(), "{shape}");
                }
            },
        );
        for micros in (0..2000).step_by(100) {
            let at = Instant::now() + Duration::from_micros(micros);
            let token = TimeoutToken::at(at);
            let error = token.wait_deadline(at).expect("both end at one instant");
            assert!(error.is_from(&token));
            let at = Instant::now() + Duration::from_micros(micros);
            let token = TimeoutToken::at(at).child();
            assert!(token.wait_deadline(at).is_some(), "a child");
        }
    });
}

#[test]
fn a_wait_whose_end_has_passed_checks_and_returns() {
    watchdog("waits until an instant in the past", || {
        let now = Instant::now();
        let past = now.checked_sub(Duration::from_millis(1)).unwrap_or(now);
        for_each_shape(
            || SimpleToken::new().into(),
            move |shape, _, token| assert!(token.wait_deadline(past).is_none(), "{shape}"),
        );
        assert!(Token::never().wait_deadline(past).is_none());
    });
}

#[test]
fn a_wait_for_ever_and_a_day_still_ends_with_the_cancel() {
    watchdog("waits with the longest of timeouts", || {
        for_each_shape(
            || SimpleToken::new().into(),
            |shape, source, token| {
                let start = Barrier::new(2);
                thread::scope(|scope| {
                    let waiter = scope.spawn(|| {
                        start.wait();
                        token.wait_timeout(Duration::MAX)
                    });
                    start.wait();
                    source.cancel();
                    let error = waiter.join().expect("a wait does not panic");
                    assert!(error.is_some_and(|error| error.is_from(source)), "{shape}");
                });
                let again = token.wait_timeout(Duration::MAX);
                assert!(again.is_some_and(|error| error.is_from(source)), "{shape}");
            },
        );
        let met = ConditionToken::new(|| true);
        assert!(met.wait_timeout(Duration::MAX).is_some());
        let passed = TimeoutToken::new(Duration::ZERO);
        assert!(passed.wait_timeout(Duration::MAX).is_some());
    });
}

#[test]
fn waits_with_and_without_a_limit_race_a_cancel_and_none_is_lost() {
    watchdog("waits that race a cancel", || {
        for round in 0..3000_u32 {
            let root = SimpleToken::new();
            let token = &root + TimeoutToken::new(HOUR);
            let limit = Duration::from_micros(u64::from(round % 40));
            let start = Barrier::new(2);
            thread::scope(|scope| {
                let waiter = scope.spawn(|| {
                    start.wait();
                    let timed = token.wait_timeout(limit);
                    (timed, token.wait())
                });
                start.wait();
                assert!(root.cancel());
                let (timed, last) = waiter.join().expect("a wait does not panic");
                assert!(timed.is_none_or(|error| error.is_from(&root)));
                assert!(last.is_from(&root));
            });
        }
    });
}

#[test]
fn a_wait_leaves_the_token_as_it_was() {
    watchdog("waits that run out", || {
        let root = SimpleToken::new();
        let token = &root + TimeoutToken::new(HOUR);
        let deadline = token.deadline();
        assert!(token.wait_timeout(Duration::from_millis(1)).is_none());
        assert!(token.cancellation().is_none());
        assert!(root.cancellation().is_none());
        assert_eq!(token.deadline(), deadline);
        assert!(token.cancel(), "the token can still be cancelled");
        assert!(root.cancellation().is_none());
    });
}

#[test]
fn a_sleep_ends_with_the_token() {
    watchdog("sleeps", || {
        let token = SimpleToken::new();
        assert_eq!(token.sleep(Duration::ZERO), Ok(()));
        assert_eq!(token.sleep(Duration::from_micros(1)), Ok(()));
        assert_eq!(Token::never().sleep(Duration::from_micros(1)), Ok(()));
        let sleeper = thread::spawn({
            let token = token.clone();
            move || token.sleep(Duration::MAX)
        });
        token.cancel();
        assert_eq!(sleeper.join().unwrap().err(), token.cancellation());
        assert!(token.sleep(Duration::ZERO).is_err());
        let counter = CounterToken::new(1);
        assert_eq!(counter.sleep(Duration::from_micros(1)), Ok(()));
        assert_eq!(counter.remaining(), 1);
    });
}
