//! Conditions that callbacks rely on although nobody may check them: the executor asks them at their interval.

use super::Node;
use crate::callback::Panic;
use crate::executor::{self, Due};
use crate::leaves::{Condition, Watch};
use crate::sync::{Arc, Weak, lock};
use std::time::Instant;

/// Adds demand for a condition.
pub(super) fn watch(condition: &Arc<Condition>, owner: &Arc<Node>, demand: usize) {
    let mut watch = lock(&condition.watch);
    watch.demand += demand;
    schedule(&mut watch, condition, owner);
}

/// Takes demand back.
pub(super) fn unwatch(condition: &Condition, demand: usize) {
    let mut watch = lock(&condition.watch);
    watch.demand -= demand;
    if watch.demand == 0 {
        if let Some(due) = watch.scheduled.take() {
            executor::unschedule(due);
        }
    }
}

/// Somebody checks a condition that panicked while nobody did: it is asked again.
#[cold]
pub(super) fn resume(condition: &Arc<Condition>, owner: &Arc<Node>) {
    let mut watch = lock(&condition.watch);
    condition.set_paused(false);
    schedule(&mut watch, condition, owner);
}

/// Puts the condition on the executor's schedule, if it is wanted and not there.
fn schedule(watch: &mut Watch, condition: &Arc<Condition>, owner: &Arc<Node>) {
    let busy = watch.asking || watch.scheduled.is_some();
    if watch.demand == 0 || busy || condition.is_paused() {
        return;
    }
    // Beyond the clock's range: never.
    let Some(at) = Instant::now().checked_add(condition.poll_interval) else {
        return;
    };
    let poll = Poll {
        condition: Arc::downgrade(condition),
        owner: Arc::downgrade(owner),
    };
    watch.scheduled = Some(executor::schedule(at, move |due| poll.run(due)));
}

/// A condition to be asked, and the token that it cancels. Weak: being polled keeps nothing alive.
struct Poll {
    condition: Weak<Condition>,
    owner: Weak<Node>,
}

impl Poll {
    fn run(&self, due: Due) {
        let (Some(condition), Some(owner)) = (self.condition.upgrade(), self.owner.upgrade())
        else {
            return;
        };
        {
            let mut watch = lock(&condition.watch);
            if watch.scheduled != Some(due) {
                // Taken back while this was on its way.
                return;
            }
            watch.scheduled = None;
            watch.asking = true;
        }
        let mut satisfied = false;
        let panic = Panic::catch(|| satisfied = condition.ask());
        {
            let mut watch = lock(&condition.watch);
            watch.asking = false;
            if panic.is_some() {
                condition.set_paused(true);
            }
            schedule(&mut watch, &condition, &owner);
        }
        if let Some(panic) = panic {
            panic.swallow();
        }
        if satisfied {
            owner.latch_condition(&condition).run();
        }
    }
}
