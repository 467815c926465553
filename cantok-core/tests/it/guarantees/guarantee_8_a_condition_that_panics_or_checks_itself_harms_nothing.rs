//! Guarantee 8: a condition that panics or checks its own token harms nothing.

use std::panic;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use cantok_core::{Cause, ConditionToken, CounterToken, SimpleToken, Token};

use cantok_testkit::shapes::shapes;
use cantok_testkit::watchdog;

/// A condition that panics at its first calls, quietly, and is met by the last of `panics + quiet + 1` calls.
fn panicking(panics: usize, quiet: usize) -> (ConditionToken, Arc<AtomicUsize>) {
    let calls = Arc::<AtomicUsize>::default();
    let token = ConditionToken::new({
        let calls = calls.clone();
        move || {
            let call = calls.fetch_add(1, Ordering::SeqCst);
            if call < panics {
                panic::resume_unwind(Box::new("the condition's panic"));
            }
            call >= panics + quiet
        }
    });
    (token, calls)
}

#[test]
fn a_panic_reaches_the_check_and_the_token_stays_usable() {
    watchdog("a condition that panics", || {
        for index in 0..shapes(&Token::never()).len() {
            let (condition, calls) = panicking(3, 2);
            let (shape, token) = shapes(&condition).swap_remove(index);
            let checks: [fn(&Token) -> bool; 3] = [
                |token| token.check().is_ok(),
                |token| token.is_cancelled(),
                |token| token.keep_on(),
            ];
            for check in checks {
                let payload = panic::catch_unwind(|| check(&token)).expect_err("a panic");
                let text = payload.downcast_ref::<&str>().copied();
                assert_eq!(text, Some("the condition's panic"), "{shape}");
                assert!(token.cancellation().is_none(), "{shape}");
            }
            assert!(token.keep_on(), "{shape}");
            assert!(condition.keep_on(), "{shape}");
            let error = token.check().expect_err("met");
            assert_eq!(error.cause(), &Cause::Condition, "{shape}");
            assert!(error.is_from(&condition), "{shape}");
            assert_eq!(calls.load(Ordering::SeqCst), 6, "{shape}");
        }
    });
}

#[test]
fn a_token_whose_condition_always_panics_can_be_cancelled() {
    watchdog("a condition that always panics", || {
        let (condition, calls) = panicking(usize::MAX, 0);
        let token = &condition + SimpleToken::new();
        assert!(panic::catch_unwind(|| token.is_cancelled()).is_err());
        assert!(condition.cancel());
        assert!(token.is_cancelled());
        assert!(token.wait().is_from(&condition));
        assert_eq!(calls.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn a_condition_that_checks_its_own_token_sees_itself_as_not_satisfied() {
    watchdog("a condition that checks itself", || {
        for index in 0..shapes(&Token::never()).len() {
            let own = Arc::<OnceLock<Token>>::default();
            let calls = Arc::<AtomicUsize>::default();
            let condition = ConditionToken::new({
                let (own, calls) = (own.clone(), calls.clone());
                move || {
                    calls.fetch_add(1, Ordering::SeqCst);
                    let token = own.get().expect("set before the first check");
                    assert!(!token.is_cancelled());
                    assert!(token.check().is_ok());
                    assert!(token.cancellation().is_none());
                    assert!(token.wait_timeout(Duration::ZERO).is_none());
                    true
                }
            });
            let (shape, token) = shapes(&condition).swap_remove(index);
            own.set(token.clone()).expect("not set before");
            let error = token.check().expect_err("met in the end");
            assert!(error.is_from(&condition), "{shape}");
            assert_eq!(calls.load(Ordering::SeqCst), 1, "{shape}");
            assert!(condition.is_cancelled(), "{shape}");
        }
    });
}

#[test]
fn two_conditions_that_check_each_other_come_to_an_end() {
    watchdog("two conditions that check each other", || {
        let tokens = Arc::<[OnceLock<Token>; 2]>::default();
        for number in 0..2 {
            let others = tokens.clone();
            let token = ConditionToken::new(move || {
                let other = others[1 - number]
                    .get()
                    .expect("set before the first check");
                other.is_cancelled()
            });
            tokens[number].set(token.into()).expect("not set before");
        }
        let [first, second] = &*tokens;
        let (first, second) = (first.get().expect("set"), second.get().expect("set"));
        for _ in 0..200 {
            assert!(!first.is_cancelled());
            assert!(!second.is_cancelled());
        }
        assert!(second.cancel());
        assert!(first.is_cancelled());
    });
}

#[test]
fn a_condition_may_cancel_its_own_token() {
    watchdog("a condition that cancels its token", || {
        let own = Arc::<OnceLock<Token>>::default();
        let condition = ConditionToken::new({
            let own = own.clone();
            move || own.get().expect("set before the first check").cancel()
        });
        own.set((&condition).into()).expect("not set before");
        let error = condition.check().expect_err("cancelled");
        assert_eq!(error.cause(), &Cause::Cancelled, "the first cause wins");
    });
}

#[test]
fn a_check_that_panics_spends_no_unit() {
    let (condition, _) = panicking(1, 1);
    let counter = CounterToken::new(2);
    let token = &counter + &condition;
    assert!(panic::catch_unwind(|| token.is_cancelled()).is_err());
    assert_eq!(counter.remaining(), 2);
    assert!(token.keep_on());
    assert_eq!(counter.remaining(), 1);
    assert!(
        token.is_cancelled(),
        "the condition is met before a unit is spent"
    );
    assert_eq!(counter.remaining(), 1);
}
