//! The thread that runs user code when nobody's call does: callbacks and wakers of deadlines and conditions, conditions
//! that they rely on, and the destructors of tokens whose last owner turned out to be the timer. One for the process,
//! started when first needed. What blocks here delays only what else runs here.

use crate::callback::Panic;
use crate::sync::{AtomicBool, Condvar, Mutex, Ordering, lock, wait, wait_for};
use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;
use std::{io, thread};

static EXECUTOR: Executor = Executor {
    queue: Mutex::new(Queue {
        running: false,
        jobs: VecDeque::new(),
        scheduled: BTreeMap::new(),
        next_id: 0,
    }),
    changed: Condvar::new(),
    runs: AtomicBool::new(false),
};

struct Executor {
    queue: Mutex<Queue>,
    changed: Condvar,
    /// Whether the thread is known to have been started.
    runs: AtomicBool,
}

struct Queue {
    running: bool,
    jobs: VecDeque<Box<dyn FnOnce() + Send>>,
    scheduled: BTreeMap<Due, Scheduled>,
    next_id: u64,
}

type Scheduled = Box<dyn FnOnce(Due) + Send>;

/// When a job is to run, and a number that keeps those of the same instant apart.
pub(crate) type Due = (Instant, u64);

/// Starts the thread, if it does not run yet.
///
/// # Errors
///
/// When the operating system refuses a thread.
pub(crate) fn start() -> io::Result<()> {
    // Relaxed: it stays true, and what the thread works on is behind the lock. Whoever waits again and again comes past
    // here each time, on every core.
    if EXECUTOR.runs.load(Ordering::Relaxed) {
        return Ok(());
    }
    lock(&EXECUTOR.queue).start()?;
    EXECUTOR.runs.store(true, Ordering::Relaxed);
    Ok(())
}

/// Has the job run soon. If there is no thread to be had, as soon as there is: never on the caller's, which may be the
/// timer's.
pub(crate) fn submit(job: impl FnOnce() + Send + 'static) {
    let mut queue = lock(&EXECUTOR.queue);
    queue.jobs.push_back(Box::new(job));
    if queue.start().is_ok() {
        EXECUTOR.changed.notify_one();
    }
}

/// Has the job run at that instant, if the thread runs. It is told under which name it was scheduled.
pub(crate) fn schedule(at: Instant, job: impl FnOnce(Due) + Send + 'static) -> Due {
    let mut queue = lock(&EXECUTOR.queue);
    let due = (at, queue.next_id);
    queue.next_id += 1;
    queue.scheduled.insert(due, Box::new(job));
    if queue.scheduled.keys().next() == Some(&due) {
        EXECUTOR.changed.notify_one();
    }
    due
}

/// Forgets a job, unless it has begun.
pub(crate) fn unschedule(due: Due) {
    let removed = lock(&EXECUTOR.queue).scheduled.remove(&due);
    drop(removed);
}

fn run() {
    let mut queue = lock(&EXECUTOR.queue);
    loop {
        // One of each in turn, so that neither kind keeps the other waiting.
        let job = queue.jobs.pop_front();
        let scheduled = queue.pop_due(Instant::now());
        if job.is_some() || scheduled.is_some() {
            drop(queue);
            if let Some(job) = job {
                run_swallowing(job);
            }
            if let Some((due, job)) = scheduled {
                run_swallowing(|| job(due));
            }
            queue = lock(&EXECUTOR.queue);
            continue;
        }
        let next = queue.scheduled.keys().next().map(|due| due.0);
        queue = match next {
            None => wait(&EXECUTOR.changed, queue),
            Some(at) => {
                let limit = at.saturating_duration_since(Instant::now());
                wait_for(&EXECUTOR.changed, queue, limit)
            }
        };
    }
}

impl Queue {
    fn start(&mut self) -> io::Result<()> {
        if !self.running {
            thread::Builder::new()
                .name("cantok-executor".to_owned())
                .spawn(run)?;
            self.running = true;
        }
        Ok(())
    }

    fn pop_due(&mut self, now: Instant) -> Option<(Due, Scheduled)> {
        let entry = self.scheduled.first_entry()?;
        (entry.key().0 <= now).then(|| entry.remove_entry())
    }
}

/// Nobody's call is there to take a panic: the panic hook has reported it.
fn run_swallowing(job: impl FnOnce()) {
    if let Some(panic) = Panic::catch(job) {
        panic.swallow();
    }
}
