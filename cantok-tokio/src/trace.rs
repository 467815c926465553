//! The events of the feature `tracing`.

use cantok_core::CancellationError;

/// Records that a token ended an operation or kept it from starting.
pub(crate) fn stopped_early(job: &str, error: &CancellationError) {
    tracing::debug!(
        target: "cantok",
        job,
        token = error.name(),
        cause = ?error.cause(),
        "stopped early"
    );
}
