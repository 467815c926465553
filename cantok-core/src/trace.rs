//! The events of the feature `tracing`. Without it none of this is there.

use crate::CancellationError;

/// A cancellation that has yet to be told to whoever collects events, which is user code.
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
