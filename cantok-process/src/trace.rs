//! The events of the feature `tracing`. Without it none of this is there.

use cantok_core::CancellationError;

/// A child was ended by its token, or not started.
pub(crate) fn stopped_early(job: &str, error: &CancellationError) {
    tracing::debug!(
        target: "cantok",
        job,
        token = error.name(),
        cause = ?error.cause(),
        "stopped early"
    );
}
