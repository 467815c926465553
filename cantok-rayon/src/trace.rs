//! The events of the feature `tracing`. Without it none of this is there.

use cantok_core::CancellationError;

/// A job has left something out.
pub(crate) fn stopped_early(what: &str, error: Option<&CancellationError>) {
    tracing::debug!(
        target: "cantok",
        token = error.and_then(CancellationError::name),
        cause = error.map(|error| tracing::field::debug(error.cause())),
        job = what,
        "stopped early"
    );
}
