//! A `DefaultToken`, like `Token::never()`, is never cancelled and leaves no trace in a sum.

use std::collections::HashSet;
use std::error::Error;
use std::time::{Duration, Instant};

use cantok_core::{DefaultToken, ImpossibleCancelError, SimpleToken, TimeoutToken, Token};

#[test]
fn a_default_token_is_not_cancelled() {
    let token = DefaultToken::new();
    for _ in 0..200 {
        assert!(token.keep_on());
        assert!(!token.is_cancelled());
        assert!(token.check().is_ok());
    }
    assert!(token.cancellation().is_none());
    assert!(token.deadline().is_none());
    assert!(token.name().is_none());
    assert!(!token.can_be_cancelled());
}

#[test]
fn the_default_of_a_token_is_never_cancelled() {
    let token = Token::default();
    assert!(!token.can_be_cancelled());
    assert_eq!(token, Token::never());
    assert!(!token.cancel());
    assert!(token.keep_on());
}

#[test]
fn cancelling_a_default_token_is_an_error() {
    let token = DefaultToken::new();
    let error = token.cancel().unwrap_err();
    assert_eq!(error.to_string(), "a default token cannot be cancelled");
    assert!(error.source().is_none());
    assert!(token.keep_on());
}

#[test]
fn the_error_can_be_passed_on() {
    fn stop(token: DefaultToken) -> Result<(), Box<dyn Error + Send + Sync>> {
        token.cancel()?;
        Ok(())
    }
    let error = stop(DefaultToken).unwrap_err();
    assert!(error.is::<ImpossibleCancelError>());
}

#[test]
fn the_token_behind_a_default_token_refuses_to_be_cancelled() {
    let token = Token::from(DefaultToken);
    assert!(!token.cancel());
    assert!(!token.cancel_with("a reason"));
    assert!(token.keep_on());
    assert!(token.cancellation().is_none());
    assert!(!token.can_be_cancelled());
}

#[test]
fn never_refuses_to_be_cancelled() {
    let token = Token::never();
    assert!(!token.cancel());
    assert!(!token.cancel_with("a reason"));
    assert!(token.keep_on());
    assert!(token.check().is_ok());
    assert!(token.cancellation().is_none());
    assert!(token.deadline().is_none());
    assert!(!token.can_be_cancelled());
    assert!(Token::never().keep_on());
}

#[test]
fn a_bounded_wait_for_what_never_comes_runs_out() {
    for token in [Token::never(), Token::from(DefaultToken)] {
        assert!(token.wait_timeout(Duration::ZERO).is_none());
        assert!(token.wait_timeout(Duration::from_millis(1)).is_none());
        assert!(token.wait_deadline(Instant::now()).is_none());
    }
}

#[test]
fn a_default_token_takes_no_room_and_is_copied() {
    assert_eq!(size_of::<DefaultToken>(), 0);
    let token = DefaultToken::new();
    let copy = token;
    assert!(token.keep_on());
    assert!(copy.keep_on());
}

#[test]
fn all_default_tokens_are_one_token() {
    let token = Token::from(DefaultToken::new());
    assert_eq!(token, Token::from(DefaultToken));
    assert_eq!(token, Token::from(&DefaultToken));
    assert_eq!(*DefaultToken, token);
    assert_eq!(DefaultToken, DefaultToken::new());
    assert_eq!(HashSet::from([token, Token::from(DefaultToken)]).len(), 1);
    assert_ne!(*DefaultToken, *SimpleToken::new());
}

#[test]
fn a_named_default_token_is_a_token_that_cannot_be_cancelled() {
    let token: Token = DefaultToken::new().named("quiet");
    assert_eq!(token.name(), Some("quiet"));
    assert!(!token.can_be_cancelled());
    assert!(!token.cancel());
    assert!(token.keep_on());
}

#[test]
fn a_default_token_disappears_in_a_sum() {
    let token = SimpleToken::new();
    for sum in [
        &token + DefaultToken,
        DefaultToken + &token,
        DefaultToken + &token + DefaultToken::new(),
        Token::never() + &token,
        &token + Token::never(),
    ] {
        assert!(sum.keep_on());
        assert!(sum.can_be_cancelled());
        assert_ne!(sum, *token);
    }

    let sum = DefaultToken + &token;
    token.cancel();
    assert!(sum.cancellation().unwrap().is_from(&token));
}

#[test]
fn a_sum_of_default_tokens_is_a_new_token_that_can_be_cancelled() {
    for sum in [
        DefaultToken + DefaultToken,
        Token::never() + Token::never(),
        Token::never() + DefaultToken,
        Token::any([DefaultToken]),
        Token::any([Token::never()]),
    ] {
        assert_ne!(sum, *DefaultToken);
        assert_ne!(sum, Token::never());
        assert!(sum.can_be_cancelled());
        assert!(sum.keep_on());
        assert!(sum.cancel());
        assert!(sum.is_cancelled());
    }
    assert!(DefaultToken.keep_on());
    assert!(Token::never().keep_on());
}

#[test]
fn a_default_token_serves_where_any_token_is_taken() {
    fn run(token: impl Into<Token>) -> bool {
        token.into().keep_on()
    }
    assert!(run(DefaultToken));
    assert!(run(Token::never()));
    assert!(!run(TimeoutToken::new(Duration::ZERO)));
}
