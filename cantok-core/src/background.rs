//! The threads that run user code when no call of the user's does. One wakes tasks, since wakers rarely block. The
//! other calls callbacks and the conditions that waiters rely on, and drops tokens whose last reference was the
//! timer's. Blocking there delays only what else runs there.

use crate::node::Jobs;
use crate::panic::Panic;
use crate::worker::Worker;
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::time::Instant;

static WAKERS: Worker<Vec<Jobs>> = Worker::new("cantok-waker", wake, Vec::new());

static BACKGROUND: Worker<Queue> = Worker::new(
    "cantok-background",
    run_all,
    Queue {
        jobs: VecDeque::new(),
        scheduled: Schedule::new(),
    },
);

struct Queue {
    jobs: VecDeque<Job>,
    scheduled: Schedule<Box<dyn FnOnce(Due) + Send>>,
}

pub(crate) type Job = Box<dyn FnOnce() + Send>;

/// Starts the threads that were never started.
///
/// # Errors
///
/// If the operating system refuses a thread.
pub(crate) fn start() -> io::Result<()> {
    WAKERS.start()?;
    BACKGROUND.start()
}

/// Starts the threads that do not run in this process.
///
/// # Errors
///
/// As [`Worker::start_here`].
pub(crate) fn start_here() -> io::Result<()> {
    WAKERS.start_here()?;
    BACKGROUND.start_here()
}

/// Runs user code soon, wakers first, but not on the caller's thread, which may be the timer's. If the operating system
/// refuses a thread, the code runs as soon as one can be started.
pub(crate) fn run(jobs: Jobs) {
    if jobs.has_wakers() {
        WAKERS.lock().push(jobs);
        if WAKERS.start().is_ok() {
            WAKERS.wake();
        }
    } else {
        submit(jobs);
    }
}

/// Runs everything but wakers, one job for the callbacks of each node.
fn submit(jobs: Jobs) {
    let mut queue = BACKGROUND.lock();
    jobs.split(|job| queue.jobs.push_back(job));
    drop(queue);
    if BACKGROUND.start().is_ok() {
        BACKGROUND.wake();
    }
}

/// Schedules a job, which is given its key. `None` if the process was forked while the lock was held.
pub(crate) fn schedule(at: Instant, job: impl FnOnce(Due) + Send + 'static) -> Option<Due> {
    let (due, is_first) = BACKGROUND
        .lock_unless_forked()?
        .scheduled
        .insert(at, Box::new(job));
    if is_first {
        BACKGROUND.wake();
    }
    Some(due)
}

/// Removes a job from the schedule, unless it has begun.
pub(crate) fn unschedule(due: Due) {
    let removed = BACKGROUND
        .lock_unless_forked()
        .map(|mut queue| queue.scheduled.remove(due));
    // Dropped without the lock, since the job may run user code.
    drop(removed);
}

/// Wakes tasks, for ever.
fn wake() {
    loop {
        let batches = {
            let mut batches = WAKERS.lock();
            while batches.is_empty() {
                batches = WAKERS.sleep(batches, None);
            }
            std::mem::take(&mut *batches)
        };
        for mut jobs in batches {
            for waker in jobs.take_wakers() {
                run_swallowing(|| waker.wake());
            }
            // Only now: callbacks come after the wakers of the same cancel.
            if jobs.has_user_code() {
                submit(jobs);
            }
        }
    }
}

fn run_all() {
    let mut queue = BACKGROUND.lock();
    loop {
        // One of each in turn, so that neither kind starves the other.
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

/// Runs a job and swallows its panic, which the panic hook has reported: there is no caller to resume it in.
fn run_swallowing(job: impl FnOnce()) {
    if let Some(panic) = Panic::catch(job) {
        panic.swallow();
    }
}

/// When a job is due, and a number that distinguishes jobs due at the same instant.
pub(crate) type Due = (Instant, u64);

/// Jobs by the instant at which they are due.
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

    /// Inserts an entry. Returns its key, and whether it is now the first.
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

    /// Returns when the first entry is due.
    fn next(&self) -> Option<Instant> {
        self.entries.keys().next().map(|due| due.0)
    }
}
