//! The events of the feature `tracing`, without which this module does not exist.

use crate::Signal;

/// Reports a signal and the number of its tokens, even those that were already cancelled.
pub(crate) fn arrived(signal: Signal, tokens: usize) {
    tracing::info!(target: "cantok", signal = signal.name(), tokens, "signal received");
}
