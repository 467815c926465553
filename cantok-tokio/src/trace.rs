//! The events of the feature `tracing`. Without it none of this is there.

use cantok_core::CancellationError;

/// A future or a stream was ended by its token, or kept from beginning.
pub(crate) fn stopped_early(job: &str, error: &CancellationError) {
    tracing::debug!(
        target: "cantok",
        job,
        token = error.name(),
        cause = ?error.cause(),
        "stopped early"
    );
}
