use crate::CancellationError;

/// Records that a token ended a job or kept it from starting: a `DEBUG` event of [`tracing`](https://docs.rs/tracing)
/// with the target `cantok`, the job, and the name and cause of the token.
///
/// Call it once for each job that ends early. Without the feature `tracing` it does nothing.
#[inline]
pub fn stopped_early<'e>(job: &str, error: impl Into<Option<&'e CancellationError>>) {
    #[cfg(feature = "tracing")]
    crate::trace::stopped_early(job, error.into());
    #[cfg(not(feature = "tracing"))]
    let _ = (job, error.into());
}
