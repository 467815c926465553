//! A builder configures a token that has one handle, and panics where there is a second one.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use cantok_core::{ConditionToken, CounterToken, Token};
use cantok_testkit::panics;

/// `build` panics with its name in the message, and leaves the token as it was.
fn refuses<T>(name: &str, token: T, build: impl FnOnce(T) -> T)
where
    T: Clone,
    Token: From<T> + for<'t> From<&'t T>,
{
    let handle = Token::from(&token);
    let text = panics::message(|| Token::from(build(token)));
    assert!(text.contains(name), "{text:?} does not name {name:?}");
    assert!(handle.cancellation().is_none());
    assert!(handle.check().is_ok());
    assert!(handle.cancel());
}

fn condition() -> ConditionToken {
    ConditionToken::new(|| false)
}

#[test]
fn direct_only_panics_with_a_second_handle_alive() {
    refuses("direct_only", CounterToken::new(3), |token| {
        token.direct_only()
    });
}

#[test]
fn on_error_panics_with_a_second_handle_alive() {
    refuses("on_error", condition(), |token| token.on_error(true));
    let fallible = ConditionToken::fallible(|| Err::<bool, ()>(()));
    refuses("on_error", fallible, |token| token.on_error(true));
}

#[test]
fn before_panics_with_a_second_handle_alive() {
    refuses("before", condition(), |token| token.before(|| ()));
}

#[test]
fn after_panics_with_a_second_handle_alive() {
    refuses("after", condition(), |token| token.after(|| ()));
}

#[test]
fn poll_interval_panics_with_a_second_handle_alive() {
    refuses("poll_interval", condition(), |token| {
        token.poll_interval(Duration::from_millis(2))
    });
}

#[test]
fn a_typed_clone_is_a_second_handle_too() {
    let token = CounterToken::new(3);
    let clone = token.clone();
    assert!(catch_unwind(AssertUnwindSafe(|| token.direct_only())).is_err());
    let sum = &clone + CounterToken::new(9);
    assert!(sum.keep_on());
    assert_eq!(clone.remaining(), 2);

    let token = condition();
    let clone = token.clone();
    assert!(catch_unwind(AssertUnwindSafe(|| token.before(|| ()))).is_err());
    assert!(clone.keep_on());
}

#[test]
fn a_second_handle_that_is_gone_is_no_obstacle() {
    let token = CounterToken::new(3);
    drop(token.clone());
    drop(Token::from(&token));
    let token = token.direct_only();
    assert!((&token + condition()).keep_on());
    assert_eq!(token.remaining(), 3);

    let token = condition();
    drop(token.clone());
    assert!(token.poll_interval(Duration::ZERO).keep_on());
}

#[test]
fn all_builders_of_a_condition_token_work_with_a_sole_handle() {
    let calls = Arc::new(AtomicUsize::new(0));
    let (before, after) = (Arc::clone(&calls), Arc::clone(&calls));
    let token = ConditionToken::fallible(|| Err::<bool, ()>(()))
        .on_error(true)
        .before(move || {
            before.fetch_add(1, Ordering::SeqCst);
        })
        .after(move || {
            after.fetch_add(10, Ordering::SeqCst);
        })
        .poll_interval(Duration::from_micros(50));
    assert_eq!(calls.load(Ordering::SeqCst), 0);
    assert!(token.is_cancelled());
    assert_eq!(calls.load(Ordering::SeqCst), 11);
}

#[test]
fn builders_and_names_can_be_given_in_any_order() {
    let token = CounterToken::new(3).named("budget").direct_only();
    assert_eq!(token.name(), Some("budget"));
    assert_eq!(token.limit(), 3);
    assert!((&token + condition()).keep_on());
    assert_eq!(token.remaining(), 3);

    let token = condition()
        .named("file gone")
        .before(|| ())
        .after(|| ())
        .on_error(false)
        .poll_interval(Duration::from_millis(1));
    assert_eq!(token.name(), Some("file gone"));
    assert!(token.keep_on());
}

#[test]
fn naming_does_not_mind_a_second_handle() {
    let token = CounterToken::new(3);
    let clone = token.clone();
    assert_eq!(token.named("budget").name(), Some("budget"));
    assert_eq!(clone.name(), Some("budget"));
}

#[test]
fn a_callback_that_was_taken_back_is_no_handle() {
    for round in 0..300 {
        let condition = ConditionToken::new(|| false).poll_interval(Duration::ZERO);
        drop(condition.on_cancel(|_| {}));
        let condition = condition.on_error(round % 2 == 0).before(|| {});
        assert!(condition.keep_on());
        let counter = CounterToken::new(1);
        drop(counter.on_cancel(|_| {}));
        assert_eq!(counter.direct_only().remaining(), 1);
    }
}

#[test]
fn a_second_hook_of_a_kind_is_refused() {
    let twice = || condition().before(|| {}).before(|| {});
    assert_eq!(
        panics::message(twice),
        "`before` was called twice for one token"
    );
    let twice = || condition().after(|| {}).after(|| {});
    assert_eq!(
        panics::message(twice),
        "`after` was called twice for one token"
    );
}

#[test]
fn a_panic_names_the_line_of_the_call() {
    let builders: [fn(ConditionToken) -> ConditionToken; 4] = [
        |token| token.on_error(true),
        |token| token.before(|| {}),
        |token| token.after(|| {}),
        |token| token.poll_interval(Duration::ZERO),
    ];
    for build in builders {
        let token = condition();
        let _second = token.clone();
        assert_eq!(panics::file(|| build(token)), file!());
    }
    let token = CounterToken::new(1);
    let _second = token.clone();
    assert_eq!(panics::file(|| token.direct_only()), file!());
    let twice = || condition().before(|| {}).before(|| {});
    assert_eq!(panics::file(twice), file!());
    let twice = || condition().after(|| {}).after(|| {});
    assert_eq!(panics::file(twice), file!());
}
