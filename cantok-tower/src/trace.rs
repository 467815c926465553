//! The events of the feature `tracing`.

use cantok_core::CancellationError;

/// Makes the event of a request, body or call that a token has ended, or kept from beginning.
pub(crate) fn stopped_early(job: &str, error: &CancellationError) {
    tracing::debug!(
        target: "cantok",
        job,
        token = error.name(),
        cause = ?error.cause(),
        "stopped early"
    );
}
