//! By what the token of some work was cancelled.

use cantok_core::{Cause, SimpleToken, Token};

/// That the token was cancelled because the future that waits was dropped.
#[track_caller]
pub(crate) fn assert_dropped(token: &Token) {
    let error = token.cancellation().expect("the work's token is cancelled");
    assert!(error.is_from(token));
    let Cause::Reason(reason) = error.cause() else {
        panic!("the cause is {:?}", error.cause());
    };
    assert_eq!(
        reason.to_string(),
        "the future that waits for the work was dropped"
    );
    assert_eq!(error.to_string(), format!("cancelled: {reason}"));
}

/// That the tokens are cancelled with the given one and by nothing before.
#[track_caller]
pub(crate) fn assert_stopped_by<const N: usize>(given: &SimpleToken, tokens: [&Token; N]) {
    for token in tokens {
        assert!(token.keep_on());
    }
    given.cancel();
    for token in tokens {
        assert!(token.cancellation().unwrap().is_from(given));
    }
}
