//! Polling conditions for callbacks and tasks, even without a check: the background thread calls them at their
//! interval.

use super::closure::Condition;
use super::fired::Found;
use super::{Jobs, Node};
use crate::background;
use crate::clock;
use crate::leaves::Watch;
use crate::panic::Panic;
use crate::sync::{Arc, Weak, lock};

impl Node {
    /// Adds a waiter that relies on the node's condition. The condition is called at once, or when its interval has
    /// passed since the background thread last called it.
    pub(super) fn watch_condition(self: &Arc<Self>) {
        let Some(condition) = self.condition() else {
            return;
        };
        let mut watch = lock(&condition.watch);
        watch.waiters += 1;
        schedule(&mut watch, condition, &|| Arc::downgrade(self));
    }

    /// Removes that many waiters.
    pub(super) fn unwatch_condition(&self, waiters: usize) {
        let Some(condition) = self.condition() else {
            return;
        };
        let mut watch = lock(&condition.watch);
        watch.waiters -= waiters;
        if watch.waiters == 0 {
            if let Some(due) = watch.leave_schedule() {
                background::unschedule(due);
            }
        }
    }
}

/// Reports a check of a condition that the background thread is calling, or has paused after a panic.
#[cold]
pub(super) fn checked(condition: &Arc<dyn Condition>, node: &Arc<Node>) {
    let mut watch = lock(&condition.watch);
    watch.checked = true;
    if condition.is_paused() {
        condition.end(false);
        schedule(&mut watch, condition, &|| Arc::downgrade(node));
    }
}

/// Schedules the condition on the background thread, if it is needed there and not yet scheduled.
fn schedule(watch: &mut Watch, condition: &Arc<dyn Condition>, node: &dyn Fn() -> Weak<Node>) {
    if watch.waiters == 0 || watch.scheduled.is_some() || condition.must_report_checks() {
        return;
    }
    let at = match watch.called_at {
        None => Some(clock::now()),
        Some(called_at) => called_at.checked_add(condition.poll_interval()),
    };
    // Beyond the clock's range: never.
    if let Some(at) = at {
        let call = Call {
            condition: Arc::downgrade(condition),
            node: node(),
            round: watch.round,
        };
        watch.scheduled = background::schedule(at, move || call.run());
    }
}

/// A condition to call, and the token that it cancels. Weak, so that polling keeps nothing alive.
struct Call {
    condition: Weak<dyn Condition>,
    node: Weak<Node>,
    round: u64,
}

impl Call {
    fn run(&self) {
        // Not the node: builders count its handles.
        let Some(condition) = self.condition.upgrade() else {
            return;
        };
        {
            let mut watch = lock(&condition.watch);
            if watch.round != self.round {
                // It was unscheduled when it was already due.
                return;
            }
            watch.leave_schedule();
            watch.checked = false;
            condition.begin();
        }
        let panic = Panic::catch(|| {
            condition.call();
        });
        {
            let mut watch = lock(&condition.watch);
            watch.called_at = Some(clock::now());
            // A check during the call has the same effect as one after it.
            condition.end(panic.is_some() && !watch.checked);
            schedule(&mut watch, &condition, &|| Weak::clone(&self.node));
        }
        let mut jobs = Jobs::default();
        // Even if it panicked after that, in its hook.
        if condition.is_satisfied() {
            if let Some(node) = self.node.upgrade() {
                jobs = node.mark_found(Found::Fired(&node));
                jobs.release(node);
            }
        }
        // Before the callbacks, which may expect it to be gone.
        let dropped = Panic::catch_drop(condition);
        if let Some(panic) = panic {
            panic.swallow();
        }
        if let Some(panic) = dropped {
            panic.swallow();
        }
        jobs.run();
    }
}
