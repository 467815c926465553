//! The threads that run user code when no call of the user's does. One wakes tasks, since wakers rarely block. The other
//! runs callbacks, the conditions that waiters rely on, and destructors of tokens whose last owner turned out to be the
//! timer: what blocks there delays only what else runs there.

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
/// When the operating system refuses a thread.
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

/// Has user code run soon, but not on the caller's thread, which may be the timer's: wakers first. If the operating
/// system refuses a thread, as soon as it gives one.
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

/// Has everything but wakers run, each callback for itself.
fn submit(jobs: Jobs) {
    let mut queue = BACKGROUND.lock();
    jobs.split(|job| queue.jobs.push_back(job));
    drop(queue);
    if BACKGROUND.start().is_ok() {
        BACKGROUND.wake();
    }
}

/// Has the job run at that instant, if the thread runs. The job is given its key.
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

/// Forgets a job, unless it has begun.
pub(crate) fn unschedule(due: Due) {
    let removed = BACKGROUND
        .lock_unless_forked()
        .map(|mut queue| queue.scheduled.remove(due));
    // Not under the lock.
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
            // Only now: the callbacks of a cancel come after its wakers.
            if jobs.has_user_code() {
                submit(jobs);
            }
        }
    }
}

fn run_all() {
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
