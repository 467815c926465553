//! An error says why a token was cancelled, and which token it was.

use std::error::Error;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use cantok_core::adapter::TokenAdapterExt as _;
use cantok_core::{
    CancellationError, Cause, ConditionToken, CounterToken, SimpleToken, TimeoutToken, Token,
};
use cantok_testkit::watchdog;

/// A reason with a type of its own.
#[derive(Debug, PartialEq)]
struct Shutdown {
    code: i32,
}

impl fmt::Display for Shutdown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "shutdown with code {}", self.code)
    }
}

impl Error for Shutdown {}

/// The error of a token that was cancelled by a call.
fn cancelled() -> CancellationError {
    let token = SimpleToken::new();
    token.cancel();
    token.check().unwrap_err()
}

/// The error of a token that was cancelled with a reason.
fn cancelled_with(reason: impl Into<Box<dyn Error + Send + Sync>>) -> CancellationError {
    let token = SimpleToken::new();
    token.cancel_with(reason);
    token.check().unwrap_err()
}

fn timed_out() -> CancellationError {
    TimeoutToken::new(Duration::ZERO).check().unwrap_err()
}

fn counted_out(limit: u64) -> CancellationError {
    let token = CounterToken::new(limit);
    for _ in 0..limit {
        assert!(token.keep_on());
    }
    token.check().unwrap_err()
}

fn satisfied() -> CancellationError {
    ConditionToken::new(|| true).check().unwrap_err()
}

#[test]
fn each_cause_has_its_message() {
    assert_eq!(cancelled().to_string(), "cancelled");
    assert_eq!(
        cancelled_with("a reason").to_string(),
        "cancelled: a reason"
    );
    assert_eq!(
        cancelled_with(Shutdown { code: 1 }).to_string(),
        "cancelled: shutdown with code 1"
    );
    assert_eq!(
        satisfied().to_string(),
        "the cancellation condition was satisfied"
    );
    assert_eq!(
        counted_out(23).to_string(),
        "the counter of 23 checks is used up"
    );
    assert_eq!(
        counted_out(1).to_string(),
        "the counter of 1 checks is used up"
    );
    assert_eq!(
        counted_out(0).to_string(),
        "the counter of 0 checks is used up"
    );
}

#[test]
fn the_message_of_a_timeout_says_how_long_it_was() {
    assert_eq!(timed_out().to_string(), "the timeout of 0ns has expired");
    watchdog("two short timeouts", || {
        let error = TimeoutToken::new(Duration::from_millis(5)).wait();
        assert_eq!(error.to_string(), "the timeout of 5ms has expired");
        let error = (TimeoutToken::new(Duration::from_micros(1500)) + SimpleToken::new()).wait();
        assert_eq!(error.to_string(), "the timeout of 1.5ms has expired");
    });
}

#[test]
fn the_message_of_a_sum_is_that_of_the_operand_that_fired() {
    let counter = CounterToken::new(0);
    let sum = SimpleToken::new() + &counter;
    assert_eq!(
        sum.child().check().unwrap_err().to_string(),
        "the counter of 0 checks is used up"
    );
}

#[test]
fn each_cause_is_told_apart() {
    assert_eq!(*cancelled().cause(), Cause::Cancelled);
    assert!(matches!(*cancelled_with("text").cause(), Cause::Reason(_)));
    assert_eq!(*satisfied().cause(), Cause::Condition);
    assert_eq!(
        *timed_out().cause(),
        Cause::Timeout {
            after: Duration::ZERO
        }
    );
    assert_eq!(*counted_out(2).cause(), Cause::Counter { limit: 2 });
}

#[test]
fn causes_are_equal_when_they_say_the_same() {
    assert_eq!(cancelled().cause(), cancelled().cause());
    assert_eq!(satisfied().cause(), satisfied().cause());
    assert_eq!(timed_out().cause(), timed_out().cause());
    assert_eq!(counted_out(2).cause(), counted_out(2).cause());
    assert_ne!(counted_out(2).cause(), counted_out(3).cause());
    assert_ne!(counted_out(2).cause(), cancelled().cause());
    assert_ne!(
        Cause::Timeout {
            after: Duration::ZERO
        },
        Cause::Timeout {
            after: Duration::MAX
        }
    );
    assert_eq!(cancelled().cause().clone(), *cancelled().cause());
}

#[test]
fn reasons_are_equal_when_they_are_the_same_object() {
    let token = SimpleToken::new();
    token.cancel_with("the same text");
    let one = token.check().unwrap_err();
    let same = (&token + SimpleToken::new()).check().unwrap_err();
    let other = cancelled_with("the same text");
    assert_eq!(one.cause(), same.cause());
    assert_eq!(one.cause().clone(), *one.cause());
    assert_ne!(one.cause(), other.cause());
    assert_ne!(*one.cause(), Cause::Cancelled);
}

/// A reason with a source.
#[derive(Debug)]
struct Failed(Shutdown);

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the backup failed")
    }
}

impl Error for Failed {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

#[test]
fn the_name_comes_first_in_the_message_and_the_reason_last() {
    let token = SimpleToken::new().named("shutdown");
    token.cancel_with("SIGINT");
    let error = token.check().unwrap_err();
    assert_eq!(error.to_string(), "shutdown: cancelled: SIGINT");
    let derived = (token.child() + SimpleToken::new()).named("job").child();
    assert_eq!(derived.check(), Err(error));

    let token = SimpleToken::new().named("shutdown");
    token.cancel();
    assert_eq!(
        token.check().unwrap_err().to_string(),
        "shutdown: cancelled"
    );
}

#[test]
fn the_source_is_that_of_the_reason() {
    for error in [
        cancelled(),
        timed_out(),
        satisfied(),
        counted_out(0),
        cancelled_with("a reason"),
    ] {
        assert!(error.source().is_none(), "{error}");
        assert!(error.reason::<Shutdown>().is_none(), "{error}");
    }
    let error = cancelled_with(Shutdown { code: 3 });
    assert!(error.source().is_none());
    assert_eq!(error.reason::<Shutdown>(), Some(&Shutdown { code: 3 }));

    let error = cancelled_with(Failed(Shutdown { code: 3 }));
    assert_eq!(error.to_string(), "cancelled: the backup failed");
    let source = error.source().unwrap();
    assert_eq!(source.to_string(), "shutdown with code 3");
    let source: *const Shutdown = source.downcast_ref().unwrap();
    assert!(std::ptr::eq(&error.reason::<Failed>().unwrap().0, source));
    assert!(error.source().unwrap().source().is_none());
}

#[test]
fn nothing_is_said_twice_along_the_sources() {
    let mut said = Vec::new();
    let error = cancelled_with(Failed(Shutdown { code: 3 }));
    let mut next: Option<&dyn Error> = Some(&error);
    while let Some(error) = next {
        said.push(error.to_string());
        next = error.source();
    }
    assert_eq!(
        said,
        ["cancelled: the backup failed", "shutdown with code 3"]
    );
}

#[test]
fn debug_is_the_message_and_in_the_long_form_the_fields_follow() {
    let named = SimpleToken::new().named("shutdown");
    named.cancel_with("SIGINT");
    let named = named.check().unwrap_err();
    for error in [
        cancelled(),
        timed_out(),
        satisfied(),
        counted_out(3),
        cancelled_with("a reason"),
        cancelled_with(Failed(Shutdown { code: 3 })),
        named.clone(),
    ] {
        assert_eq!(format!("{error:?}"), error.to_string());
        let long = format!("{error:#?}");
        let start = format!("{error} CancellationError {{\n    cause: ");
        assert!(long.starts_with(&start), "{long}");
    }
    assert_eq!(
        format!("{:#?}", cancelled()),
        "cancelled CancellationError {\n    cause: Cancelled,\n    name: None,\n}"
    );
    assert_eq!(
        format!("{named:#?}"),
        "shutdown: cancelled: SIGINT CancellationError {\n    \
         cause: Reason(\n        \"SIGINT\",\n    ),\n    \
         name: Some(\n        \"shutdown\",\n    ),\n}"
    );
}

#[test]
fn a_reason_is_found_by_its_type() {
    let error = cancelled_with(Shutdown { code: 3 });
    assert_eq!(error.reason::<Shutdown>(), Some(&Shutdown { code: 3 }));
    assert!(error.reason::<io::Error>().is_none());
    assert!(error.reason::<fmt::Error>().is_none());
    let Cause::Reason(reason) = error.cause() else {
        panic!("the cause is {:?}", error.cause());
    };
    assert_eq!(reason.to_string(), "shutdown with code 3");
    assert_eq!(
        reason.as_error().downcast_ref::<Shutdown>(),
        Some(&Shutdown { code: 3 })
    );
    assert!(format!("{reason:?}").contains('3'));
}

#[test]
fn a_boxed_reason_keeps_its_type() {
    let boxed: Box<dyn Error + Send + Sync> = Box::new(Shutdown { code: 4 });
    let error = cancelled_with(boxed);
    assert_eq!(error.reason::<Shutdown>(), Some(&Shutdown { code: 4 }));
}

#[test]
fn the_cause_behind_a_reason_can_be_followed() {
    let error = cancelled_with(io::Error::other(Shutdown { code: 5 }));
    let inner = error.reason::<io::Error>().unwrap();
    assert_eq!(inner.kind(), io::ErrorKind::Other);
    assert!(inner.get_ref().unwrap().is::<Shutdown>());
    assert_eq!(error.to_string(), "cancelled: shutdown with code 5");
    // That of the error inside, which has none.
    assert!(error.source().is_none());
    let error = cancelled_with(io::Error::other(Failed(Shutdown { code: 5 })));
    assert_eq!(error.to_string(), "cancelled: the backup failed");
    assert!(error.source().unwrap().is::<Shutdown>());
}

#[test]
fn the_error_of_one_token_can_be_the_reason_of_another() {
    let first = SimpleToken::new();
    first.cancel_with(Shutdown { code: 10 });
    let error = cancelled_with(first.check().unwrap_err());
    let inner = error.reason::<CancellationError>().unwrap();
    assert!(inner.is_from(&first));
    assert!(!error.is_from(&first));
    assert_eq!(inner.reason::<Shutdown>(), Some(&Shutdown { code: 10 }));
    assert_eq!(
        error.to_string(),
        "cancelled: cancelled: shutdown with code 10"
    );
    assert!(error.source().is_none());
}

#[test]
fn of_errors_that_are_reasons_of_each_other_the_first_and_the_innermost_speak() {
    let names = ["first", "second", "third"].map(|name| SimpleToken::new().named(name));
    let [first, second, third] = &names;
    first.cancel_with(Failed(Shutdown { code: 11 }));
    second.cancel_with(first.check().unwrap_err());
    third.cancel_with(second.check().unwrap_err());
    let messages = names.each_ref().map(|token| {
        let error = token.check().unwrap_err();
        assert_eq!(format!("{error:?}"), error.to_string());
        let source = error.source().unwrap();
        assert_eq!(
            source.downcast_ref::<Shutdown>(),
            Some(&Shutdown { code: 11 })
        );
        error.to_string()
    });
    assert_eq!(
        messages,
        [
            "first: cancelled: the backup failed",
            "second: cancelled: first: cancelled: the backup failed",
            "third: cancelled: first: cancelled: the backup failed",
        ]
    );
    let error = third.check().unwrap_err();
    let Cause::Reason(reason) = error.cause() else {
        panic!("the cause is {:?}", error.cause());
    };
    assert_eq!(reason.to_string(), messages[1]);
    assert_eq!(format!("{reason:?}"), format!("{:?}", messages[1]));

    let expired = cancelled_with(cancelled_with(timed_out()));
    assert_eq!(
        expired.to_string(),
        "cancelled: the timeout of 0ns has expired"
    );
    assert!(expired.source().is_none());
}

#[test]
fn a_reason_of_text_is_read_as_text() {
    for error in [
        cancelled_with("no more work"),
        cancelled_with(String::from("no more work")),
        cancelled_with(format!("no {} work", "more")),
    ] {
        let Cause::Reason(reason) = error.cause() else {
            panic!("the cause is {:?}", error.cause());
        };
        assert_eq!(reason.to_string(), "no more work");
        assert_eq!(reason.as_error().to_string(), "no more work");
        assert_eq!(error.to_string(), "cancelled: no more work");
        assert!(error.source().is_none());
        assert!(error.reason::<Shutdown>().is_none());
        assert!(error.reason::<io::Error>().is_none());
    }
}

#[test]
fn every_derived_token_reports_the_same_reason() {
    let root = SimpleToken::new();
    let sum = &root + TimeoutToken::new(Duration::MAX);
    let child = sum.child();
    let grandchild = (&child + CounterToken::new(9)).child();
    let late = root.cancel_with(Shutdown { code: 6 });
    assert!(late);
    let origin = root.cancellation().unwrap();
    let reason: *const Shutdown = origin.reason::<Shutdown>().unwrap();
    for token in [
        &sum,
        &*child,
        &*grandchild,
        &*root.child(),
        &(&root + SimpleToken::new()),
    ] {
        let error = token.check().unwrap_err();
        assert_eq!(error.cause(), origin.cause());
        assert!(std::ptr::eq(error.reason::<Shutdown>().unwrap(), reason));
    }
}

#[test]
fn the_kind_of_an_io_error_is_timed_out_for_deadlines_and_other_for_the_rest() {
    assert_eq!(io::Error::from(timed_out()).kind(), io::ErrorKind::TimedOut);
    for error in [
        cancelled(),
        cancelled_with("a reason"),
        cancelled_with(io::Error::from(io::ErrorKind::Interrupted)),
        cancelled_with(io::Error::from(io::ErrorKind::TimedOut)),
        satisfied(),
        counted_out(0),
    ] {
        assert_eq!(io::Error::from(error).kind(), io::ErrorKind::Other);
    }
}

#[test]
fn an_io_error_carries_the_cancellation_error() {
    let token = SimpleToken::new();
    token.cancel_with(Shutdown { code: 7 });
    let error = io::Error::from(token.check().unwrap_err());
    assert_eq!(error.to_string(), "cancelled: shutdown with code 7");
    assert!(error.source().is_none());
    let inner = error
        .get_ref()
        .unwrap()
        .downcast_ref::<CancellationError>()
        .unwrap();
    assert!(inner.is_from(&token));
    assert_eq!(inner.reason::<Shutdown>(), Some(&Shutdown { code: 7 }));
    let inner = error.into_inner().unwrap();
    assert!(
        inner
            .downcast::<CancellationError>()
            .unwrap()
            .is_from(&token)
    );
}

#[test]
fn a_check_in_a_function_of_io_is_passed_on_with_a_question_mark() {
    fn copy(token: &Token) -> io::Result<()> {
        token.check()?;
        Ok(())
    }
    assert!(copy(&SimpleToken::new()).is_ok());
    let error = copy(&TimeoutToken::new(Duration::ZERO)).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
}

#[test]
fn a_check_is_passed_on_as_a_boxed_error_too() {
    fn work(token: &Token) -> Result<(), Box<dyn Error + Send + Sync>> {
        token.check()?;
        Ok(())
    }
    let token = SimpleToken::new();
    assert!(work(&token).is_ok());
    token.cancel();
    let error = work(&token).unwrap_err();
    assert!(
        error
            .downcast_ref::<CancellationError>()
            .unwrap()
            .is_from(&token)
    );
}

#[test]
fn an_error_is_from_the_token_that_fired_through_sums_of_sums_and_children() {
    let stop = SimpleToken::new();
    let other = SimpleToken::new();
    let inner = &stop + &other;
    let outer = (&inner + TimeoutToken::new(Duration::MAX)) + (&other + CounterToken::new(9));
    let child = outer.child();
    let last = Token::any([&Token::from(child.child()), &outer]);
    stop.cancel();

    for token in [&inner, &outer, &*child, &last] {
        let error = token.check().unwrap_err();
        assert!(error.is_from(&stop));
        assert!(error.is_from(&stop.clone()));
        assert!(error.is_from(&Token::from(&stop)));
        for bystander in [&*other, &inner, &outer, &*child, &last, &Token::never()] {
            assert!(!error.is_from(bystander));
        }
    }
}

#[test]
fn an_error_is_from_the_sum_or_the_child_that_was_cancelled_itself() {
    let stop = SimpleToken::new();
    let sum = &stop + SimpleToken::new();
    let child = sum.child();
    let grandchild = child.child();
    child.cancel();
    let error = grandchild.check().unwrap_err();
    assert!(error.is_from(&child));
    assert!(!error.is_from(&grandchild));
    assert!(!error.is_from(&sum));
    assert!(!error.is_from(&stop));

    sum.cancel();
    assert!(sum.check().unwrap_err().is_from(&sum));
    assert!(child.check().unwrap_err().is_from(&child));
}

#[test]
fn an_error_is_from_the_very_token_for_every_kind_of_token() {
    let condition = ConditionToken::new(|| true);
    let timeout = TimeoutToken::new(Duration::ZERO);
    let counter = CounterToken::new(0);
    let direct = CounterToken::new(0).direct_only();
    let simple = SimpleToken::new();
    simple.cancel();
    for token in [&*condition, &*timeout, &*counter, &*direct, &*simple] {
        let sum = (token + SimpleToken::new()).child() + SimpleToken::new();
        let error = sum.check().unwrap_err();
        assert!(error.is_from(token));
        assert!(!error.is_from(&sum));
        assert!(token.check().unwrap_err().is_from(token));
    }
}

#[test]
fn an_error_of_an_operand_given_by_value_is_from_that_operand() {
    let operands: [(Token, Cause); 4] = [
        (CounterToken::new(0).into(), Cause::Counter { limit: 0 }),
        (ConditionToken::new(|| true).into(), Cause::Condition),
        (
            TimeoutToken::new(Duration::ZERO).into(),
            Cause::Timeout {
                after: Duration::ZERO,
            },
        ),
        (SimpleToken::new().named("stop").into(), Cause::Cancelled),
    ];
    for (operand, cause) in operands {
        // Does not count as a handle of a typed token.
        let weak = operand.downgrade();
        let sum = operand + SimpleToken::new() + TimeoutToken::new(Duration::MAX);
        let child = sum.child();
        let operand = weak.upgrade().expect("the sum keeps it");
        if cause == Cause::Cancelled {
            assert!(operand.cancel());
        }
        let error = child.check().unwrap_err();
        assert_eq!(*error.cause(), cause);
        assert!(error.is_from(&operand));
        assert!(!error.is_from(&sum) && !error.is_from(&child));
        assert_eq!(sum.check(), Err(error));
    }
}

#[test]
fn an_error_outlives_its_tokens() {
    let (error, copy) = {
        let stop = SimpleToken::new();
        let sum = (&stop + TimeoutToken::new(Duration::MAX)).named("job");
        stop.cancel_with(Shutdown { code: 8 });
        (sum.check().unwrap_err(), stop.check().unwrap_err())
    };
    for error in [error.clone(), copy, error] {
        assert_eq!(error.to_string(), "cancelled: shutdown with code 8");
        assert_eq!(error.reason::<Shutdown>(), Some(&Shutdown { code: 8 }));
        assert!(!error.is_from(&Token::never()));
    }
}

#[test]
fn an_error_is_never_taken_to_be_from_a_token_that_was_made_later() {
    let errors: Vec<CancellationError> = (0..100).map(|_| cancelled()).collect();
    let later: Vec<SimpleToken> = (0..1000).map(|_| SimpleToken::new()).collect();
    for error in &errors {
        assert!(later.iter().all(|token| !error.is_from(token)));
    }
}

#[test]
fn an_error_is_sent_to_other_threads() {
    watchdog("a thread that reads an error", || {
        let token = SimpleToken::new();
        token.cancel_with(Shutdown { code: 9 });
        let error = token.check().unwrap_err();
        let copy = error.clone();
        let code = thread::spawn(move || copy.reason::<Shutdown>().unwrap().code)
            .join()
            .unwrap();
        assert_eq!(code, 9);
        assert!(error.is_from(&token));
    });
}

#[test]
fn an_error_is_one_pointer_wide() {
    assert_eq!(size_of::<CancellationError>(), size_of::<usize>());
}

/// A reason that shows whether it is still there.
#[derive(Debug)]
struct Held(Arc<()>);
impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "held {} times", Arc::strong_count(&self.0))
    }
}
impl Error for Held {}

#[test]
fn the_reason_is_dropped_with_the_last_that_could_report_it() {
    let alive = Arc::new(());
    let token = SimpleToken::new();
    let child = token.child();
    token.cancel_with(Held(Arc::clone(&alive)));
    let error = child.check().unwrap_err();
    assert_eq!(error.to_string(), "cancelled: held 2 times");
    assert_eq!(error.reason::<Held>().unwrap().to_string(), "held 2 times");
    drop(token);
    drop(child);
    assert_eq!(Arc::strong_count(&alive), 2);
    drop(error);
    assert_eq!(Arc::strong_count(&alive), 1);
}

#[test]
fn a_reason_that_came_too_late_is_dropped() {
    let alive = Arc::new(());
    let token = SimpleToken::new();
    token.cancel();
    assert!(!token.cancel_with(Held(Arc::clone(&alive))));
    assert_eq!(Arc::strong_count(&alive), 1);
    assert!(!Token::never().cancel_with(Held(Arc::clone(&alive))));
    assert_eq!(Arc::strong_count(&alive), 1);
}

#[test]
fn an_error_without_a_named_token_has_no_name() {
    for error in [cancelled(), timed_out(), satisfied(), counted_out(0)] {
        assert!(error.name().is_none());
        assert!(!format!("{error:?}").is_empty());
    }
}

#[test]
fn errors_are_equal_when_they_report_the_same_cancel() {
    let (first, second) = (SimpleToken::new(), SimpleToken::new());
    let sum = &first + &second;
    first.cancel();
    second.cancel();
    assert_eq!(sum.cancellation(), first.cancellation());
    assert_eq!(first.child().cancellation(), first.cancellation());
    assert_ne!(first.cancellation(), second.cancellation());
}
