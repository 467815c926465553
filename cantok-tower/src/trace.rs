//! The events of the feature `tracing`.

use cantok_core::CancellationError;

/// A token has ended a request, body or call, or kept it from beginning.
pub(crate) fn stopped_early(job: &str, error: &CancellationError) {
    tracing::debug!(
        target: "cantok",
        job,
        token = error.name(),
        cause = ?error.cause(),
        "stopped early"
    );
}
