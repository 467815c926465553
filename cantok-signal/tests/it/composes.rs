//! A `SignalToken` is a token like every other: it goes where they go, adds up with them, and shows what it is.
#![cfg(unix)]

use std::collections::HashSet;
use std::fmt::Debug;
use std::panic::{RefUnwindSafe, UnwindSafe};

use cantok_core::{CounterToken, SimpleToken, Token};
use cantok_signal::{SecondSignal, Signal, SignalToken, SignalTokenBuilder};

fn goes_everywhere<T: Send + Sync + UnwindSafe + RefUnwindSafe + Unpin + Debug>() {}

#[test]
fn everything_goes_everywhere() {
    goes_everywhere::<SignalToken>();
    goes_everywhere::<SignalTokenBuilder>();
    goes_everywhere::<Signal>();
    goes_everywhere::<SecondSignal>();
}

fn token() -> SignalToken {
    let builder = SignalToken::builder().signals([Signal::USR1, Signal::USR2]);
    builder.build().unwrap()
}

#[test]
fn it_adds_up_with_every_token() {
    let simple = SimpleToken::new;
    let ways: [fn(&SignalToken) -> Token; 8] = [
        |token| token + SimpleToken::new(),
        |token| token.clone() + CounterToken::new(1),
        |token| SimpleToken::new() + token,
        |token| Token::never() + token.clone(),
        |token| Token::any([token, token]),
        |token| [token.clone()].into_iter().sum(),
        |token| [token].into_iter().collect(),
        |token| token.child().into(),
    ];
    for (way, sum) in ways.iter().enumerate() {
        let token = token();
        let mut sum = sum(&token);
        sum += simple();
        assert!(sum.cancellation().is_none());
        token.cancel_with(Signal::USR1);
        let error = sum.check().unwrap_err();
        assert!(error.is_from(&token), "way {way}");
        assert_eq!(Signal::of(&error), Some(Signal::USR1));
    }
}

#[test]
fn only_cancel_cancels_it() {
    let (token, other) = (token(), token());
    let sum = &token + &other;
    sum.cancel();
    assert!(token.keep_on() && other.keep_on());
    token.cancel();
    assert!(token.is_cancelled() && other.keep_on());
    assert_eq!(Signal::of(&token.cancellation().unwrap()), None);
}

#[test]
#[allow(clippy::mutable_key_type, reason = "tokens are compared by identity")]
fn its_handles_are_one_token() {
    let (token, other) = (token(), token());
    let handle = token.clone().named("stop");
    assert_eq!(token.name(), Some("stop"));
    assert!(token == handle && token != other);
    let erased = Token::from(&token);
    assert!(token == erased);
    assert!(erased == token);
    assert!(other != erased);
    let handles: HashSet<SignalToken> = [token, handle, other].into_iter().collect();
    assert_eq!(handles.len(), 2);
}

#[test]
fn it_shows_what_it_is() {
    let token = token();
    assert_eq!(format!("{token:?}"), "SignalToken(SIGUSR1, SIGUSR2)");
    assert_eq!(token.to_string(), "SignalToken (not cancelled)");
    let token = token.named("stop");
    token.cancel();
    let shown = "SignalToken(\"stop\", SIGUSR1, SIGUSR2, cancelled)";
    assert_eq!(format!("{token:?}"), shown);
    assert!(token.to_string().ends_with("cancelled)"));
    assert!(token.to_string().starts_with("SignalToken"));
}
