//! With the feature `enough` every token is an `enough::Stop`.
#![cfg(feature = "enough")]

use std::time::Duration;

use cantok_core::{
    ConditionToken, CounterToken, DefaultToken, IdleToken, SimpleToken, TimeoutToken, Token,
};
use enough::{AsStopReason, Stop, StopReason};

#[test]
fn deadlines_time_out_and_the_rest_is_cancelled() {
    let cancelled = SimpleToken::new();
    cancelled.cancel();
    let sum = TimeoutToken::new(Duration::ZERO) + SimpleToken::new();
    let stops: [(&dyn Stop, StopReason); 6] = [
        (&cancelled, StopReason::Cancelled),
        (&ConditionToken::new(|| true), StopReason::Cancelled),
        (&CounterToken::new(0), StopReason::Cancelled),
        (&TimeoutToken::new(Duration::ZERO), StopReason::TimedOut),
        (&IdleToken::new(Duration::ZERO), StopReason::TimedOut),
        (&sum, StopReason::TimedOut),
    ];
    for (stop, reason) in stops {
        assert!(stop.should_stop() && stop.may_stop());
        assert_eq!(stop.check(), Err(reason));
    }
    let error = sum.cancellation().unwrap();
    assert_eq!(error.as_stop_reason(), Some(StopReason::TimedOut));
}

#[test]
fn one_call_is_one_check() {
    let counter = CounterToken::new(3);
    let token = Token::from(&counter);
    assert_eq!(Stop::check(&counter), Ok(()));
    assert_eq!(Stop::check(&token), Ok(()));
    assert!(!Stop::should_stop(&token));
    assert_eq!(counter.remaining(), 0);
    assert!(Stop::should_stop(&counter));
}

#[test]
fn what_cannot_be_cancelled_says_so() {
    let stops: [&dyn Stop; 2] = [&DefaultToken, &Token::never()];
    for stop in stops {
        assert!(!stop.may_stop() && !stop.should_stop() && stop.live().is_none());
        assert_eq!(stop.check(), Ok(()));
    }
}
