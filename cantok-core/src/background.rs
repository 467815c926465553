//! The thread that runs user code when nobody's call does: callbacks and wakers of deadlines and conditions, conditions
//! that they rely on, and the destructors of tokens whose last owner turned out to be the timer. What blocks here delays
//! only what else runs here.

use crate::callback::Panic;
pub(crate) use crate::worker::Due;
use crate::worker::{Schedule, Worker};
use std::collections::VecDeque;
use std::io;
use std::time::Instant;

static EXECUTOR: Worker<Queue> = Worker::new(
    "cantok-executor",
    run,
    Queue {
        jobs: VecDeque::new(),
        scheduled: Schedule::new(),
    },
);

struct Queue {
    jobs: VecDeque<Box<dyn FnOnce() + Send>>,
    scheduled: Schedule<Box<dyn FnOnce(Due) + Send>>,
}

/// Starts the thread, if it does not run yet.
///
/// # Errors
///
/// When the operating system refuses a thread.
pub(crate) fn start() -> io::Result<()> {
    EXECUTOR.start()
}

/// Has the job run soon. If there is no thread to be had, as soon as there is: never on the caller's, which may be the
/// timer's.
pub(crate) fn submit(job: impl FnOnce() + Send + 'static) {
    EXECUTOR.lock().jobs.push_back(Box::new(job));
    if EXECUTOR.start().is_ok() {
        EXECUTOR.wake();
    }
}

/// Has the job run at that instant, if the thread runs. It is told under which name it was scheduled.
pub(crate) fn schedule(at: Instant, job: impl FnOnce(Due) + Send + 'static) -> Due {
    let (due, is_first) = EXECUTOR.lock().scheduled.insert(at, Box::new(job));
    if is_first {
        EXECUTOR.wake();
    }
    due
}

/// Forgets a job, unless it has begun.
pub(crate) fn unschedule(due: Due) {
    let removed = EXECUTOR.lock().scheduled.remove(due);
    // Not under the lock.
    drop(removed);
}

fn run() {
    let mut queue = EXECUTOR.lock();
    loop {
        // One of each in turn, so that neither kind keeps the other waiting.
        let job = queue.jobs.pop_front();
        let scheduled = queue.scheduled.pop_due(Instant::now());
        if job.is_some() || scheduled.is_some() {
            drop(queue);
            if let Some(job) = job {
                run_swallowing(job);
            }
            if let Some((due, job)) = scheduled {
                run_swallowing(|| job(due));
            }
            queue = EXECUTOR.lock();
            continue;
        }
        let next = queue.scheduled.next();
        queue = EXECUTOR.sleep(queue, next);
    }
}

/// Nobody's call is there to take a panic: the panic hook has reported it.
fn run_swallowing(job: impl FnOnce()) {
    if let Some(panic) = Panic::catch(job) {
        panic.swallow();
    }
}
