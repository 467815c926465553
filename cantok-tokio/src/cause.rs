use cantok_core::{CancellationError, Token};

/// The error of a token that is cancelled.
pub(crate) fn cause_of(token: &Token) -> CancellationError {
    match token.cancellation() {
        Some(error) => error,
        None => unreachable!("a cancelled token has a cause"),
    }
}
