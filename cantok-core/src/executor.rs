//! The thread that runs user code when nobody's call does: callbacks of deadlines and of conditions, conditions that
//! callbacks rely on, and the destructors of tokens whose last owner turned out to be the timer. One for the process,
//! started when first needed. What blocks here delays only what else runs here.

use crate::callback::Panic;
use crate::leaves::{Condition, Watch};
use crate::node::Node;
use crate::node::mark::Jobs;
use crate::sync::{Arc, Condvar, Mutex, MutexGuard, Ordering, Weak, lock, wait, wait_for};
use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;
use std::{io, thread};

static EXECUTOR: Executor = Executor {
    queue: Mutex::new(Queue {
        running: false,
        jobs: VecDeque::new(),
        schedule: BTreeMap::new(),
        next_id: 0,
    }),
    changed: Condvar::new(),
};

struct Executor {
    queue: Mutex<Queue>,
    changed: Condvar,
}

struct Queue {
    running: bool,
    jobs: VecDeque<Jobs>,
    schedule: BTreeMap<Due, Poll>,
    next_id: u64,
}

/// When a condition is to be asked next, and a number that keeps those of the same instant apart.
pub(crate) type Due = (Instant, u64);

/// A condition to be asked, and the token that it cancels. Weak: being polled keeps nothing alive.
struct Poll {
    condition: Weak<Condition>,
    owner: Weak<Node>,
}

/// Starts the thread, if it does not run yet.
///
/// # Errors
///
/// When the operating system refuses a thread.
pub(crate) fn start() -> io::Result<()> {
    let mut queue = lock(&EXECUTOR.queue);
    if !queue.running {
        thread::Builder::new()
            .name("cantok-executor".to_owned())
            .spawn(run)?;
        queue.running = true;
    }
    Ok(())
}

/// Has the jobs run on the executor's thread; on this one if there is none to be had.
pub(crate) fn submit(jobs: Jobs) {
    if start().is_ok() {
        lock(&EXECUTOR.queue).jobs.push_back(jobs);
        EXECUTOR.changed.notify_one();
    } else {
        run_swallowing(jobs);
    }
}

/// Adds demand for a condition, which is polled at its interval from now on.
pub(crate) fn watch(condition: &Arc<Condition>, owner: &Arc<Node>, demand: usize) {
    let mut queue = lock(&EXECUTOR.queue);
    let mut watch = lock(&condition.watch);
    watch.demand += demand;
    queue.schedule_if_wanted(condition, owner, &mut watch);
}

/// Takes demand back.
pub(crate) fn unwatch(condition: &Arc<Condition>, demand: usize) {
    let mut queue = lock(&EXECUTOR.queue);
    let mut watch = lock(&condition.watch);
    watch.demand -= demand;
    if watch.demand == 0 {
        if let Some(due) = watch.scheduled.take() {
            queue.schedule.remove(&due);
        }
    }
}

/// Somebody checks a condition that panicked here: it is polled again.
pub(crate) fn resume(condition: &Arc<Condition>, owner: &Arc<Node>) {
    let mut queue = lock(&EXECUTOR.queue);
    let mut watch = lock(&condition.watch);
    condition.paused.store(false, Ordering::Relaxed);
    queue.schedule_if_wanted(condition, owner, &mut watch);
}

impl Queue {
    fn schedule_if_wanted(
        &mut self,
        condition: &Arc<Condition>,
        owner: &Arc<Node>,
        watch: &mut MutexGuard<'_, Watch>,
    ) {
        // Relaxed: `paused` is written under the lock that is held here.
        let paused = condition.paused.load(Ordering::Relaxed);
        if watch.demand == 0 || watch.scheduled.is_some() || watch.asking || paused {
            return;
        }
        // An interval beyond the clock's range: never.
        let Some(at) = Instant::now().checked_add(condition.poll_interval) else {
            return;
        };
        let due = (at, self.next_id);
        self.next_id += 1;
        let poll = Poll {
            condition: Arc::downgrade(condition),
            owner: Arc::downgrade(owner),
        };
        self.schedule.insert(due, poll);
        watch.scheduled = Some(due);
        EXECUTOR.changed.notify_one();
    }

    /// The next condition that is due, with its token.
    fn pop_due(&mut self, now: Instant) -> Option<(Due, Poll)> {
        let entry = self.schedule.first_entry()?;
        (entry.key().0 <= now).then(|| entry.remove_entry())
    }
}

fn run() {
    let mut queue = lock(&EXECUTOR.queue);
    loop {
        if let Some(jobs) = queue.jobs.pop_front() {
            drop(queue);
            run_swallowing(jobs);
            queue = lock(&EXECUTOR.queue);
            // No `continue`: a condition that is due has its turn between any two jobs.
        }
        match queue.pop_due(Instant::now()) {
            Some((_, poll)) => {
                drop(queue);
                poll.run();
                queue = lock(&EXECUTOR.queue);
            }
            None if !queue.jobs.is_empty() => {}
            None => {
                let next = queue.schedule.keys().next().map(|due| due.0);
                queue = match next {
                    None => wait(&EXECUTOR.changed, queue),
                    Some(at) => {
                        let limit = at.saturating_duration_since(Instant::now());
                        wait_for(&EXECUTOR.changed, queue, limit)
                    }
                };
            }
        }
    }
}

impl Poll {
    fn run(&self) {
        let alive = (self.condition.upgrade(), self.owner.upgrade());
        if let (Some(condition), Some(owner)) = &alive {
            if begin(condition) {
                let mut satisfied = false;
                let panic = Panic::catch(|| satisfied = condition.ask());
                let panicked = panic.is_some();
                if let Some(panic) = panic {
                    panic.swallow();
                }
                if satisfied {
                    run_swallowing(owner.latch_condition(condition));
                }
                end(condition, owner, panicked);
            }
        }
        drop_swallowing(alive);
    }
}

/// Whether the condition is still wanted; it is being asked from now on.
fn begin(condition: &Condition) -> bool {
    let _queue = lock(&EXECUTOR.queue);
    let mut watch = lock(&condition.watch);
    watch.scheduled = None;
    watch.asking = watch.demand > 0;
    watch.asking
}

/// The condition has answered; unless it is to `pause`, it is asked again in a while.
fn end(condition: &Arc<Condition>, owner: &Arc<Node>, pause: bool) {
    let mut queue = lock(&EXECUTOR.queue);
    let mut watch = lock(&condition.watch);
    watch.asking = false;
    if pause {
        condition.paused.store(true, Ordering::Relaxed);
    }
    queue.schedule_if_wanted(condition, owner, &mut watch);
}

/// Nobody's call is there to take a panic: the panic hook has reported it.
fn run_swallowing(jobs: Jobs) {
    if let Some(panic) = jobs.run_all() {
        panic.swallow();
    }
}

fn drop_swallowing<T>(value: T) {
    if let Some(panic) = Panic::catch(|| drop(value)) {
        panic.swallow();
    }
}
