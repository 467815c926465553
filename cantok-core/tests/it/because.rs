//! A token that cancels by itself reports the reason that it was made with.

use std::error::Error;
use std::num::ParseIntError;
use std::time::Duration;
use std::{fmt, io};

use cantok_core::{
    CancellationError, Cause, ConditionToken, CounterToken, IdleToken, SimpleToken, TimeoutToken,
    Token,
};
use cantok_testkit::watchdog;

fn reason() -> ParseIntError {
    "x".parse::<u8>().unwrap_err()
}

/// One of each, cancelled by its next check.
fn all() -> [Token; 4] {
    [
        TimeoutToken::new(Duration::ZERO).because(reason()).into(),
        IdleToken::new(Duration::ZERO).because(reason()).into(),
        CounterToken::new(0).because(reason()).into(),
        ConditionToken::new(|| true).because(reason()).into(),
    ]
}

#[test]
fn every_derived_token_reports_it() {
    for token in all() {
        for derived in [
            &token + SimpleToken::new(),
            token.child().into(),
            token.clone(),
        ] {
            let error = derived.check().unwrap_err();
            assert_eq!(error.reason::<ParseIntError>(), Some(&reason()));
            assert!(error.reason::<io::Error>().is_none());
            assert!(
                error
                    .to_string()
                    .ends_with(": invalid digit found in string")
            );
            assert!(!matches!(error.cause(), Cause::Reason(_)));
            // Of the reason, which is in the message.
            assert!(error.source().is_none());
            let inside = io::Error::from(error.clone());
            let inside = inside
                .get_ref()
                .unwrap()
                .downcast_ref::<CancellationError>();
            assert_eq!(inside, Some(&error));
        }
    }
}

#[derive(Debug)]
struct Layered(io::Error);

impl fmt::Display for Layered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("layered")
    }
}

impl Error for Layered {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

#[test]
fn the_source_is_the_reasons_own() {
    let token = TimeoutToken::new(Duration::ZERO).because(Layered(io::Error::other("below")));
    let error = token.check().unwrap_err();
    assert_eq!(error.source().unwrap().to_string(), "below");
}

#[test]
fn a_cancel_has_its_own_reason() {
    let token = CounterToken::new(5).because("of the counter");
    token.cancel_with("of the cancel");
    assert_eq!(
        token.check().unwrap_err().to_string(),
        "cancelled: of the cancel"
    );
    let token = CounterToken::new(5).because("of the counter");
    token.cancel();
    assert_eq!(token.check().unwrap_err().to_string(), "cancelled");
}

#[test]
#[should_panic(expected = "`because` configures a token before it is shared")]
fn a_second_handle_is_refused() {
    let token = IdleToken::new(Duration::MAX);
    let _second = token.clone();
    let _ = token.because("late");
}

#[test]
#[should_panic(expected = "`because` was called twice for one token")]
fn a_second_reason_is_refused() {
    let _ = CounterToken::new(1).because("one").because("two");
}

#[test]
fn reasons_nest_to_any_depth() {
    watchdog("nested reasons", || {
        let mut token = TimeoutToken::new(Duration::ZERO);
        for _ in 0..100_000 {
            let error = token.check().unwrap_err();
            token = TimeoutToken::new(Duration::ZERO).because(error);
        }
        assert!(token.is_cancelled());
        // One that was never asked for its error.
        drop(TimeoutToken::new(Duration::MAX).because(token.check().unwrap_err()));
    });
}
