//! Conditions that callbacks, tasks and calls rely on although nobody may check them: the executor asks them at their
//! interval.

use super::Node;
use super::mark::Jobs;
use crate::callback::Panic;
use crate::executor::{self, Due};
use crate::leaves::{Condition, Watch};
use crate::sync::{Arc, Weak, lock};
use std::time::{Duration, Instant};

/// Adds demand for a condition, which is asked for the first time after that time, or sooner if others have been there
/// before.
pub(super) fn watch(condition: &Arc<Condition>, owner: &Arc<Node>, demand: usize, first: Duration) {
    let mut watch = lock(&condition.watch);
    watch.demand += demand;
    schedule(&mut watch, condition, Arc::downgrade(owner), first);
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

/// Somebody checks a condition that the executor is asking, or has left alone after a panic.
#[cold]
pub(super) fn checked(condition: &Arc<Condition>, owner: &Arc<Node>) {
    let mut watch = lock(&condition.watch);
    watch.checked = true;
    if condition.is_paused() {
        condition.end(false);
        schedule(
            &mut watch,
            condition,
            Arc::downgrade(owner),
            condition.poll_interval(),
        );
    }
}

/// Puts the condition on the executor's schedule, if it is wanted and not there, or not that soon.
fn schedule(watch: &mut Watch, condition: &Arc<Condition>, owner: Weak<Node>, after: Duration) {
    if watch.demand == 0 || condition.needs_attention() {
        return;
    }
    // Beyond the clock's range: never.
    let Some(at) = Instant::now().checked_add(after) else {
        return;
    };
    if let Some(due) = watch.scheduled {
        if due.0 <= at {
            return;
        }
        executor::unschedule(due);
    }
    let poll = Poll {
        condition: Arc::downgrade(condition),
        owner,
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
        // Not the owner, whose handles are counted by builders, and whose last one takes it along.
        let Some(condition) = self.condition.upgrade() else {
            return;
        };
        {
            let mut watch = lock(&condition.watch);
            if watch.scheduled != Some(due) {
                // Taken back while this was on its way.
                return;
            }
            watch.scheduled = None;
            watch.checked = false;
            condition.begin();
        }
        let panic = Panic::catch(|| {
            condition.ask();
        });
        {
            let mut watch = lock(&condition.watch);
            // A check by somebody else that came meanwhile has the same effect as one that comes afterwards.
            condition.end(panic.is_some() && !watch.checked);
            let owner = Weak::clone(&self.owner);
            schedule(&mut watch, &condition, owner, condition.poll_interval());
        }
        let mut jobs = Jobs::default();
        // Also if it panicked after that, in its hook.
        if condition.is_satisfied() {
            if let Some(owner) = self.owner.upgrade() {
                jobs.extend(owner.latch_condition(&condition));
                jobs.release(owner);
            }
        }
        // Before the callbacks, which may expect it to be gone.
        let dropped = Panic::catch(|| drop(condition));
        [panic, dropped]
            .into_iter()
            .flatten()
            .for_each(Panic::swallow);
        jobs.run();
    }
}
