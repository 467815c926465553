//! A `ConditionToken` is cancelled when a check finds its closure returning `true`.

use std::panic::catch_unwind;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex, OnceLock};
use std::thread;
use std::time::Duration;

use cantok_core::{Cause, ConditionToken, SimpleToken, Token};
use cantok_testkit::watchdog;

/// What was called, in the order of the calls.
type Log = Arc<Mutex<Vec<&'static str>>>;

fn writer(log: &Log, entry: &'static str) -> impl Fn() + Send + Sync + 'static {
    let log = Arc::clone(log);
    move || log.lock().unwrap().push(entry)
}

fn entries(log: &Log) -> Vec<&'static str> {
    log.lock().unwrap().clone()
}

/// A condition that holds while `flag` is set, and the number of times it was asked.
fn flagged() -> (ConditionToken, Arc<AtomicBool>, Arc<AtomicUsize>) {
    let flag = Arc::new(AtomicBool::new(false));
    let calls = Arc::new(AtomicUsize::new(0));
    let (seen, counted) = (Arc::clone(&flag), Arc::clone(&calls));
    let token = ConditionToken::new(move || {
        counted.fetch_add(1, Ordering::SeqCst);
        seen.load(Ordering::SeqCst)
    });
    (token, flag, calls)
}

#[test]
fn making_a_token_does_not_call_its_condition() {
    let (token, _, calls) = flagged();
    let _clone = token.clone();
    assert_eq!(calls.load(Ordering::SeqCst), 0);
}

#[test]
fn a_token_is_cancelled_by_the_check_that_finds_the_condition_true() {
    let (token, flag, _) = flagged();
    assert!(token.keep_on());
    flag.store(true, Ordering::SeqCst);
    assert!(token.cancellation().is_none());
    let error = token.check().unwrap_err();
    assert_eq!(*error.cause(), Cause::Condition);
    assert!(error.is_from(&token));
    assert!(token.cancellation().unwrap().is_from(&token));
    assert!(!token.cancel());
}

#[test]
fn every_check_calls_the_condition_once() {
    let (token, _, calls) = flagged();
    for expected in 1..=500 {
        assert!(token.keep_on());
        assert_eq!(calls.load(Ordering::SeqCst), expected);
    }
}

#[test]
fn a_condition_that_was_true_once_is_not_called_again() {
    let (token, flag, calls) = flagged();
    flag.store(true, Ordering::SeqCst);
    assert!(token.is_cancelled());
    assert_eq!(calls.load(Ordering::SeqCst), 1);

    flag.store(false, Ordering::SeqCst);
    for _ in 0..200 {
        assert!(token.is_cancelled());
        assert!(token.clone().is_cancelled());
        assert!(token.child().is_cancelled());
        assert!((&token + SimpleToken::new()).is_cancelled());
    }
    assert_eq!(calls.load(Ordering::SeqCst), 1);
}

#[test]
fn a_condition_found_true_by_a_sum_or_a_child_is_not_called_again_by_anyone() {
    let (token, flag, calls) = flagged();
    let sum = &token + SimpleToken::new();
    let child = token.child();
    let other = SimpleToken::new() + &token;
    flag.store(true, Ordering::SeqCst);
    assert!(sum.check().unwrap_err().is_from(&token));
    flag.store(false, Ordering::SeqCst);

    assert!(token.cancellation().unwrap().is_from(&token));
    assert!(token.is_cancelled());
    assert!(child.check().unwrap_err().is_from(&token));
    assert!(other.check().unwrap_err().is_from(&token));
    assert!(token.child().is_cancelled());
    assert_eq!(calls.load(Ordering::SeqCst), 1);
}

#[test]
fn an_absorbed_condition_that_was_true_once_is_not_called_again() {
    let (token, flag, calls) = flagged();
    let sum = token + SimpleToken::new();
    let child = sum.child();
    flag.store(true, Ordering::SeqCst);
    assert_eq!(*child.check().unwrap_err().cause(), Cause::Condition);
    flag.store(false, Ordering::SeqCst);

    assert_eq!(*sum.check().unwrap_err().cause(), Cause::Condition);
    assert_eq!(*child.check().unwrap_err().cause(), Cause::Condition);
    assert_eq!(calls.load(Ordering::SeqCst), 1);
}

#[test]
fn a_condition_that_occurs_twice_is_called_once_a_check() {
    let (token, _, calls) = flagged();
    let sum = &token + &token;
    assert!(sum.keep_on());
    assert_eq!(calls.load(Ordering::SeqCst), 1);

    let wider = (&token + SimpleToken::new()) + (&sum + token.child());
    assert!(wider.keep_on());
    assert_eq!(calls.load(Ordering::SeqCst), 2);
}

#[test]
fn once_many_threads_know_that_the_condition_held_no_thread_calls_it_again() {
    watchdog("eight checking threads", || {
        let (token, flag, calls) = flagged();
        let barrier = Barrier::new(8);
        thread::scope(|scope| {
            for number in 0..8 {
                let (token, flag, barrier) = (&token, &flag, &barrier);
                scope.spawn(move || {
                    let child = token.child();
                    barrier.wait();
                    if number == 0 {
                        flag.store(true, Ordering::SeqCst);
                    }
                    while token.keep_on() {}
                    assert!(child.is_cancelled());
                });
            }
        });
        let before = calls.load(Ordering::SeqCst);
        assert!(token.is_cancelled());
        assert!(token.child().is_cancelled());
        assert_eq!(calls.load(Ordering::SeqCst), before);
    });
}

#[test]
fn a_check_that_begins_after_the_condition_was_true_does_not_call_it_again_even_before_the_first_ends()
 {
    watchdog("a check within the hook of another", || {
        let own: Arc<OnceLock<ConditionToken>> = Arc::default();
        let asked = Arc::new(AtomicUsize::new(0));
        let (seen, counted) = (Arc::clone(&own), Arc::clone(&asked));
        let hooked = AtomicBool::new(false);
        let token = ConditionToken::new(move || {
            counted.fetch_add(1, Ordering::SeqCst);
            true
        })
        .after(move || {
            if !hooked.swap(true, Ordering::SeqCst) {
                let token = seen.get().unwrap().clone();
                let other = thread::spawn(move || token.is_cancelled());
                assert!(other.join().unwrap());
            }
        });
        own.set(token.clone()).unwrap();

        assert!(token.is_cancelled());
        assert_eq!(asked.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn a_token_that_cancel_has_cancelled_does_not_call_its_condition() {
    let (token, _, calls) = flagged();
    assert!(token.cancel());
    assert_eq!(*token.check().unwrap_err().cause(), Cause::Cancelled);
    assert_eq!(calls.load(Ordering::SeqCst), 0);
}

#[test]
fn an_error_counts_as_false_by_default() {
    let token = ConditionToken::fallible(|| Err::<bool, _>("no answer"));
    assert!(token.keep_on());
    let token = ConditionToken::fallible(|| Err::<bool, _>("no answer")).on_error(false);
    assert!(token.keep_on());
}

#[test]
fn an_error_cancels_where_it_was_declared_to() {
    let token = ConditionToken::fallible(|| Err::<bool, ()>(())).on_error(true);
    assert!(token.cancellation().is_none());
    assert_eq!(*token.check().unwrap_err().cause(), Cause::Condition);
}

#[test]
fn a_result_counts_as_what_it_says() {
    for on_error in [false, true] {
        let token = ConditionToken::fallible(|| Ok::<_, ()>(false)).on_error(on_error);
        assert!(token.keep_on());
        let token = ConditionToken::fallible(|| Ok::<_, ()>(true)).on_error(on_error);
        assert!(token.is_cancelled());
    }
}

#[test]
fn a_condition_that_fails_is_called_again_by_the_next_check() {
    let calls = AtomicUsize::new(0);
    let token = ConditionToken::fallible(move || match calls.fetch_add(1, Ordering::SeqCst) {
        0 | 1 => Err("not yet"),
        2 => Ok(false),
        _ => Ok(true),
    });
    assert!(token.keep_on());
    assert!(token.keep_on());
    assert!(token.keep_on());
    assert!(token.is_cancelled());
}

#[test]
fn the_error_of_a_condition_may_be_of_any_type_and_is_dropped() {
    struct Failure(Arc<()>);
    let alive = Arc::new(());
    let source = Arc::clone(&alive);
    let token = ConditionToken::fallible(move || {
        let failure = Failure(Arc::clone(&source));
        assert_eq!(Arc::strong_count(&failure.0), 3);
        Err::<bool, Failure>(failure)
    });
    assert!(token.keep_on());
    assert!(token.keep_on());
    assert_eq!(Arc::strong_count(&alive), 2);
}

#[test]
fn before_and_after_surround_the_condition() {
    let log = Log::default();
    let condition = writer(&log, "condition");
    let token = ConditionToken::new(move || {
        condition();
        false
    })
    .after(writer(&log, "after"))
    .before(writer(&log, "before"));
    assert!(entries(&log).is_empty());

    assert!(token.keep_on());
    assert_eq!(entries(&log), ["before", "condition", "after"]);
    assert!((&token + SimpleToken::new()).keep_on());
    assert_eq!(entries(&log)[3..], ["before", "condition", "after"]);
}

#[test]
fn before_and_after_run_for_the_check_that_finds_the_condition_true_and_not_again() {
    let log = Log::default();
    let token = ConditionToken::new(|| true)
        .before(writer(&log, "before"))
        .after(writer(&log, "after"));
    let sum = &token + SimpleToken::new();
    for _ in 0..100 {
        assert!(sum.is_cancelled());
        assert!(token.is_cancelled());
    }
    assert_eq!(entries(&log), ["before", "after"]);
}

#[test]
fn after_runs_after_an_error_too() {
    for on_error in [false, true] {
        let log = Log::default();
        let condition = writer(&log, "condition");
        let token = ConditionToken::fallible(move || {
            condition();
            Err::<bool, ()>(())
        })
        .on_error(on_error)
        .before(writer(&log, "before"))
        .after(writer(&log, "after"));
        assert_eq!(token.is_cancelled(), on_error);
        assert_eq!(entries(&log), ["before", "condition", "after"]);
    }
}

#[test]
fn before_and_after_are_not_called_by_peeks() {
    let log = Log::default();
    let token = ConditionToken::new(|| true)
        .before(writer(&log, "before"))
        .after(writer(&log, "after"));
    assert!(token.cancellation().is_none());
    assert!(!format!("{token:?} {token}").is_empty());
    assert!(token.cancel());
    assert!(token.is_cancelled());
    assert!(entries(&log).is_empty());
}

#[test]
fn a_panic_in_before_skips_the_condition_and_after() {
    let log = Log::default();
    let condition = writer(&log, "condition");
    let token = ConditionToken::new(move || {
        condition();
        false
    })
    .before(|| panic!("a test panic in before"))
    .after(writer(&log, "after"));
    assert!(catch_unwind(|| token.check()).is_err());
    assert!(entries(&log).is_empty());
    assert!(token.cancellation().is_none());
}

#[test]
fn a_panic_in_the_condition_skips_after() {
    let log = Log::default();
    let token = ConditionToken::new(|| panic!("a test panic in a condition"))
        .before(writer(&log, "before"))
        .after(writer(&log, "after"));
    assert!(catch_unwind(|| token.check()).is_err());
    assert_eq!(entries(&log), ["before"]);
    assert!(token.cancellation().is_none());
}

#[test]
fn a_panic_in_after_reaches_the_caller_and_leaves_the_token_usable() {
    let armed = Arc::new(AtomicBool::new(true));
    let panics = Arc::clone(&armed);
    let token = ConditionToken::new(|| false).after(move || {
        assert!(
            !panics.load(Ordering::SeqCst),
            "a test panic in after, while armed"
        );
    });
    assert!(catch_unwind(|| token.check()).is_err());
    armed.store(false, Ordering::SeqCst);
    assert!(token.check().is_ok());
}

#[test]
fn a_condition_that_checks_its_own_token_sees_itself_as_not_yet_satisfied() {
    watchdog("a condition that checks its own token", || {
        let own: Arc<OnceLock<ConditionToken>> = Arc::default();
        let calls = Arc::new(AtomicUsize::new(0));
        let (seen, counted) = (Arc::clone(&own), Arc::clone(&calls));
        let token = ConditionToken::new(move || {
            counted.fetch_add(1, Ordering::SeqCst);
            seen.get().unwrap().keep_on()
        });
        own.set(token.clone()).unwrap();

        assert_eq!(*token.check().unwrap_err().cause(), Cause::Condition);
        assert_eq!(calls.load(Ordering::SeqCst), 1);
        assert!(token.is_cancelled());
        assert_eq!(calls.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn a_condition_that_checks_a_sum_or_a_child_of_its_own_token_sees_itself_as_not_yet_satisfied() {
    watchdog("a condition that checks a sum of its own token", || {
        let derived: Arc<OnceLock<(Token, SimpleToken)>> = Arc::default();
        let calls = Arc::new(AtomicUsize::new(0));
        let (seen, counted) = (Arc::clone(&derived), Arc::clone(&calls));
        let token = ConditionToken::new(move || {
            counted.fetch_add(1, Ordering::SeqCst);
            let (sum, child) = seen.get().unwrap();
            sum.keep_on() && child.keep_on()
        });
        let sum = &token + SimpleToken::new();
        derived.set((sum.clone(), token.child())).unwrap();

        assert!(sum.check().unwrap_err().is_from(&token));
        assert_eq!(calls.load(Ordering::SeqCst), 1);
        assert!(token.is_cancelled());
        assert_eq!(calls.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn two_conditions_that_check_each_other_come_to_an_end() {
    watchdog("two conditions that check each other", || {
        let other: Arc<OnceLock<ConditionToken>> = Arc::default();
        let seen = Arc::clone(&other);
        let first = ConditionToken::new(move || seen.get().unwrap().is_cancelled());
        let checked = first.clone();
        let second = ConditionToken::new(move || checked.is_cancelled());
        other.set(second.clone()).unwrap();

        assert!(first.keep_on());
        assert!(second.keep_on());
        assert!((&first + &second).keep_on());
    });
}

#[test]
fn a_condition_may_cancel_its_own_token() {
    watchdog("a condition that cancels its own token", || {
        let own: Arc<OnceLock<ConditionToken>> = Arc::default();
        let seen = Arc::clone(&own);
        let token = ConditionToken::new(move || {
            seen.get().unwrap().cancel_with("from within");
            false
        });
        own.set(token.clone()).unwrap();

        let _ = token.is_cancelled();
        let error = token.check().unwrap_err();
        assert!(
            matches!(error.cause(), Cause::Reason(reason) if reason.to_string() == "from within")
        );
    });
}

#[test]
fn a_wait_polls_the_condition_until_it_holds_and_no_further() {
    for interval in [Duration::ZERO, Duration::from_micros(10)] {
        watchdog("a wait for a condition", move || {
            let calls = Arc::new(AtomicUsize::new(0));
            let counted = Arc::clone(&calls);
            let token =
                ConditionToken::new(move || counted.fetch_add(1, Ordering::SeqCst) + 1 >= 3)
                    .poll_interval(interval);
            let error = token.wait();
            assert_eq!(*error.cause(), Cause::Condition);
            assert!(error.is_from(&token));
            assert_eq!(calls.load(Ordering::SeqCst), 3);
            assert!(token.is_cancelled());
            assert_eq!(calls.load(Ordering::SeqCst), 3);
        });
    }
}

#[test]
fn the_poll_interval_does_not_slow_checks_down_and_may_be_of_any_length() {
    for interval in [
        Duration::ZERO,
        Duration::from_nanos(1),
        Duration::from_secs(3600),
        Duration::MAX,
    ] {
        let calls = AtomicUsize::new(0);
        let token = ConditionToken::new(move || calls.fetch_add(1, Ordering::SeqCst) == 2)
            .poll_interval(interval);
        assert!(token.keep_on());
        assert!(token.keep_on());
        assert!(token.is_cancelled());
    }
}

#[test]
fn a_condition_lives_as_long_as_the_last_token_that_may_ask_it() {
    let alive = Arc::new(());
    let captured = Arc::clone(&alive);
    let token = ConditionToken::new(move || Arc::strong_count(&captured) == 0);
    let sum = &token + SimpleToken::new();
    let child = sum.child();
    drop(token);
    drop(sum);
    assert!(child.keep_on());
    assert_eq!(Arc::strong_count(&alive), 2);
    drop(child);
    assert_eq!(Arc::strong_count(&alive), 1);
}
