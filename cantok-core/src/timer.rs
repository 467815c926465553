//! The thread that marks tokens whose deadline has passed. It runs no user code, so nothing that users do makes a
//! deadline late.

use crate::executor;
use crate::node::Jobs;
use crate::sync::{Arc, Weak};
pub(crate) use crate::worker::Due as Alarm;
use crate::worker::{Schedule, Worker};
use std::io;
use std::time::Instant;

static TIMER: Worker<Schedule<Weak<dyn Ring>>> = Worker::new("cantok-timer", run, Schedule::new());

/// What an alarm is for.
pub(crate) trait Ring: Send + Sync {
    /// It is `now`, and the alarm's instant has passed. Runs on the timer's thread: no user code here, and no waiting.
    /// User code is added to the jobs, which go to the executor.
    fn ring(self: Arc<Self>, now: Instant, jobs: &mut Jobs);
}

/// So many alarms are taken at a time, so that others can come and go between.
const BATCH: usize = 256;

/// Starts the thread, if it does not run yet.
///
/// # Errors
///
/// When the operating system refuses a thread.
pub(crate) fn start() -> io::Result<()> {
    TIMER.start()
}

/// Sets an alarm for that instant. Whoever it is for removes it when it is dropped.
///
/// # Errors
///
/// When the thread cannot be started.
pub(crate) fn schedule(ring: Weak<dyn Ring>, at: Instant) -> io::Result<Alarm> {
    TIMER.start()?;
    let (alarm, is_first) = TIMER.lock().insert(at, ring);
    if is_first {
        TIMER.wake();
    }
    Ok(alarm)
}

/// Forgets an alarm.
pub(crate) fn remove(alarm: Alarm) {
    let removed = TIMER.lock().remove(alarm);
    // Not under the lock.
    drop(removed);
}

fn run() {
    let mut due = Vec::new();
    let mut alarms = TIMER.lock();
    loop {
        let now = Instant::now();
        take_due(&mut alarms, now, &mut due);
        if !due.is_empty() {
            drop(alarms);
            // One hand-over for all of them: one for each would make those behind late.
            let mut jobs = Jobs::default();
            for node in due.drain(..) {
                node.ring(now, &mut jobs);
            }
            if jobs.has_user_code() {
                executor::submit(move || jobs.run());
            }
            alarms = TIMER.lock();
            continue;
        }
        let next = alarms.next();
        alarms = TIMER.sleep(alarms, next);
    }
}

fn take_due(alarms: &mut Schedule<Weak<dyn Ring>>, now: Instant, due: &mut Vec<Arc<dyn Ring>>) {
    while due.len() < BATCH {
        match alarms.pop_due(now) {
            // What is being dropped at this moment is not found any more, and needs no alarm.
            Some((_, ring)) => due.extend(ring.upgrade()),
            None => return,
        }
    }
}
