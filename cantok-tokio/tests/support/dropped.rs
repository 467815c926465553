//! Why work was cancelled that nobody waits for any more.

use std::error::Error;

use cantok_core::{Cause, Token};

/// That the token was cancelled because the future that waits was dropped.
#[track_caller]
pub(crate) fn assert_dropped(token: &Token) {
    let error = token.cause().expect("the work's token is cancelled");
    assert!(error.is_from(token));
    assert!(matches!(error.cause(), Cause::Reason(_)));
    assert_eq!(
        error.source().unwrap().to_string(),
        "the future that waits for the work was dropped"
    );
}
