//! The events of the feature `tracing`. Without it none of this is there.

use crate::Signal;

/// A signal that cancels tokens, or would if they were not cancelled already.
pub(crate) fn arrived(signal: Signal, tokens: usize) {
    tracing::info!(target: "cantok", signal = signal.name(), tokens, "signal received");
}
