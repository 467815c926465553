//! The thread that runs user code when no call of the user's does: callbacks and wakers of deadlines and conditions,
//! the conditions that they rely on, and destructors of tokens whose last owner turned out to be the timer. What blocks
//! here delays only what else runs here.

use crate::panic::Panic;
use crate::worker::Worker;
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::time::Instant;

static BACKGROUND: Worker<Queue> = Worker::new(
    "cantok-background",
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
    BACKGROUND.start()
}

/// Has the job run soon. If the operating system refuses the thread, as soon as it gives one: never on the caller's, which
/// may be the timer's.
pub(crate) fn submit(job: impl FnOnce() + Send + 'static) {
    BACKGROUND.lock().jobs.push_back(Box::new(job));
    if BACKGROUND.start().is_ok() {
        BACKGROUND.wake();
    }
}

/// Has the job run at that instant, if the thread runs. The job is given its key.
pub(crate) fn schedule(at: Instant, job: impl FnOnce(Due) + Send + 'static) -> Due {
    let (due, is_first) = BACKGROUND.lock().scheduled.insert(at, Box::new(job));
    if is_first {
        BACKGROUND.wake();
    }
    due
}

/// Forgets a job, unless it has begun.
pub(crate) fn unschedule(due: Due) {
    let removed = BACKGROUND.lock().scheduled.remove(due);
    // Not under the lock.
    drop(removed);
}

fn run() {
    let mut queue = BACKGROUND.lock();
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
            queue = BACKGROUND.lock();
            continue;
        }
        let next = queue.scheduled.next();
        queue = BACKGROUND.sleep(queue, next);
    }
}

/// There is no caller to take a panic: the panic hook has reported it.
fn run_swallowing(job: impl FnOnce()) {
    if let Some(panic) = Panic::catch(job) {
        panic.swallow();
    }
}

/// When something is due, and a number that keeps apart what is due at the same instant.
pub(crate) type Due = (Instant, u64);

/// What is due at which instant.
struct Schedule<T> {
    entries: BTreeMap<Due, T>,
    next_id: u64,
}

impl<T> Schedule<T> {
    const fn new() -> Self {
        Schedule {
            entries: BTreeMap::new(),
            next_id: 0,
        }
    }

    /// Returns the key of the entry, and whether it is the first of all now.
    fn insert(&mut self, at: Instant, entry: T) -> (Due, bool) {
        let due = (at, self.next_id);
        self.next_id += 1;
        self.entries.insert(due, entry);
        (due, self.entries.keys().next() == Some(&due))
    }

    fn remove(&mut self, due: Due) -> Option<T> {
        self.entries.remove(&due)
    }

    /// Takes out the first entry whose instant has passed.
    fn pop_due(&mut self, now: Instant) -> Option<(Due, T)> {
        let first = self.entries.first_entry()?;
        (first.key().0 <= now).then(|| first.remove_entry())
    }

    /// When the first entry is due.
    fn next(&self) -> Option<Instant> {
        self.entries.keys().next().map(|due| due.0)
    }
}
