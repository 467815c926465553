//! What happens when a node's deadline has passed.

use super::Jobs;
use super::Node;
use crate::sync::{Arc, Weak};
use crate::timer::Ring;
use std::time::Instant;

impl Ring for Node {
    /// Marks, and wakes threads; tasks, callbacks, and the drop of nodes whose last owner this turns out to be, are
    /// left to the executor.
    fn ring(self: Arc<Self>, now: Instant, jobs: &mut Jobs) {
        jobs.extend(self.expire(now));
        jobs.release(self);
        jobs.wake_threads();
    }
}

impl Node {
    pub(super) fn as_ring(self: &Arc<Self>) -> Weak<dyn Ring> {
        let node: Weak<Node> = Arc::downgrade(self);
        node
    }
}

#[cfg(all(test, loom))]
mod tests {
    use super::*;
    use crate::{Cause, SimpleToken, TimeoutToken, Token};
    use loom::thread;
    use std::time::Duration;

    const HOUR: Duration = Duration::from_secs(3600);

    /// An armed sum with a deadline, a child of it that is armed too, and what the timer has of the sum.
    fn armed() -> (Token, SimpleToken, Weak<dyn Ring>) {
        let sum = SimpleToken::new() + TimeoutToken::new(HOUR);
        let child = sum.child();
        for token in [&sum, &*child] {
            assert!(token.node().arm().is_ok());
        }
        let ring = sum.node().as_ring();
        (sum, child, ring)
    }

    /// Up to three preemptions, as in `tests/loom.rs`; without a bound the two take five minutes.
    fn model(f: impl Fn() + Send + Sync + 'static) {
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = builder.preemption_bound.or(Some(3));
        builder.check(f);
    }

    fn ring(ring: &Weak<dyn Ring>) {
        if let Some(node) = ring.upgrade() {
            let mut jobs = Jobs::default();
            node.ring(Instant::now() + 2 * HOUR, &mut jobs);
            jobs.run();
        }
    }

    #[test]
    fn an_alarm_may_ring_while_the_token_is_dropped() {
        model(|| {
            let (sum, child, alarm) = armed();
            let timer = thread::spawn(move || ring(&alarm));
            drop(sum);
            drop(child);
            timer.join().unwrap();
        });
    }

    #[test]
    fn an_alarm_and_a_cancel_leave_one_cause_for_all() {
        model(|| {
            let (sum, child, alarm) = armed();
            let timer = thread::spawn(move || ring(&alarm));
            let won = sum.cancel();
            assert!(child.is_cancelled());
            let cause = sum.cause().unwrap();
            assert_eq!(won, cause.cause() == &Cause::Cancelled);
            assert_eq!(child.cause().unwrap(), cause);
            timer.join().unwrap();
        });
    }
}
