//! What happens when a node's deadline has passed.

use super::Node;
use crate::executor;
use crate::sync::{Arc, Weak};
use crate::timer::Ring;
use std::time::Instant;

impl Ring for Node {
    /// Marks and wakes here; callbacks, and the drop of nodes whose last owner this turns out to be, are left to the
    /// executor.
    fn ring(self: Arc<Self>, now: Instant) {
        let mut jobs = self.expire(now);
        jobs.release(self);
        jobs.wake_threads();
        if jobs.has_user_code() {
            executor::submit(move || jobs.run());
        }
    }
}

impl Node {
    pub(super) fn as_ring(self: &Arc<Self>) -> Weak<dyn Ring> {
        let node: Weak<Node> = Arc::downgrade(self);
        node
    }
}
