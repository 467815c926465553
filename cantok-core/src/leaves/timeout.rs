use crate::Reason;
use std::sync::OnceLock;
use std::time::Duration;

/// What a TimeoutToken reports. Its deadline, which does not move, is the node's.
pub(crate) struct Timeout {
    pub(crate) after: Duration,
    /// Set before the token is shared.
    pub(crate) because: OnceLock<Reason>,
}

impl Timeout {
    pub(crate) fn new(after: Duration) -> Self {
        Timeout {
            after,
            because: OnceLock::new(),
        }
    }
}
