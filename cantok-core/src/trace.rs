//! The events of the feature `tracing`, without which this module does not exist.

use crate::CancellationError;

/// A cancellation whose event has yet to be emitted, which runs user code.
pub(crate) struct Event {
    error: CancellationError,
    callbacks: usize,
}

impl Event {
    pub(crate) fn new(error: CancellationError, callbacks: usize) -> Self {
        Event { error, callbacks }
    }

    pub(crate) fn emit(self) {
        tracing::debug!(
            target: "cantok",
            token = self.error.name(),
            cause = ?self.error.cause(),
            callbacks = self.callbacks,
            "cancelled"
        );
    }
}

pub(crate) fn stopped_early(job: &str, error: Option<&CancellationError>) {
    tracing::debug!(
        target: "cantok",
        job,
        token = error.and_then(CancellationError::name),
        cause = error.map(|error| tracing::field::debug(error.cause())),
        "stopped early"
    );
}
