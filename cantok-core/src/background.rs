//! The threads that run user code when no call of the user's does. One wakes tasks, since wakers rarely block. The
//! other calls callbacks and the conditions that waiters rely on, and drops tokens whose last reference was the
//! timer's. Blocking there delays only what else runs there.

use crate::clock::{self, NEVER, instant, nanos};
use crate::panic::Panic;
use crate::wheel::{self, Wheel};
use crate::worker::Worker;
use std::collections::VecDeque;
use std::io;
use std::mem::take;
use std::time::Instant;

static WAKERS: Worker<Queue> = Worker::new("cantok-waker", || serve(&WAKERS), Queue::new());

static BACKGROUND: Worker<Queue> =
    Worker::new("cantok-background", || serve(&BACKGROUND), Queue::new());

/// A longer list gives up its memory once it is empty.
const MANY: usize = 1024;

struct Queue {
    jobs: VecDeque<Job>,
    scheduled: Wheel<Job>,
    /// When the first scheduled job is due, as a number of the clock, or earlier.
    next: u64,
    /// Jobs from the schedule that are due, in any order.
    due: Vec<Job>,
    /// [`Queue::pop_due`] from the first scheduled job on. Programs without conditions are linked without it.
    pop_due: fn(&mut Queue) -> Option<Job>,
}

pub(crate) type Job = Box<dyn FnOnce() + Send>;

/// Identifies a scheduled job.
pub(crate) type Due = wheel::Key;

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

/// Soon runs a job that wakes tasks, on another thread: the caller's may be the timer's. If the operating system refuses
/// a thread, the job runs as soon as one can be started.
pub(crate) fn wake(job: Job) {
    push(&WAKERS, job);
}

/// [`wake`] for jobs that may block.
pub(crate) fn run(jobs: Vec<Job>) {
    BACKGROUND.lock().jobs.extend(jobs);
    wake_up(&BACKGROUND);
}

/// Frees memory soon, but not on the caller's thread. It may take long, so it comes after the callbacks of everything that
/// was passed to [`wake`] before.
pub(crate) fn free(memory: Box<dyn Send>) {
    wake(Box::new(|| push(&BACKGROUND, Box::new(|| drop(memory)))));
}

#[inline(never)]
fn push(worker: &Worker<Queue>, job: Job) {
    worker.lock().jobs.push_back(job);
    wake_up(worker);
}

fn wake_up(worker: &Worker<Queue>) {
    if worker.start().is_ok() {
        worker.wake();
    }
}

/// Schedules a job. `None` if the process was forked while the lock was held.
pub(crate) fn schedule(at: Instant, job: impl FnOnce() + Send + 'static) -> Option<Due> {
    let at = nanos(at);
    let mut queue = BACKGROUND.lock_unless_forked()?;
    queue.pop_due = Queue::pop_due;
    let (due, next) = queue.scheduled.insert(at, Box::new(job));
    if next < queue.next {
        queue.next = next;
        drop(queue);
        BACKGROUND.wake();
    }
    Some(due)
}

/// Removes a job from the schedule, unless it was due.
pub(crate) fn unschedule(due: Due) {
    let removed = BACKGROUND
        .lock_unless_forked()
        .map(|mut queue| queue.scheduled.remove(due));
    // Dropped without the queue's lock. The caller may hold a condition's `watch`, so the job owns no user's value.
    drop(removed);
}

/// Runs the jobs of a worker, for ever.
fn serve(worker: &Worker<Queue>) {
    let mut queue = worker.lock();
    loop {
        // One of each in turn, so that neither kind starves the other.
        let job = queue.jobs.pop_front();
        let scheduled = (queue.pop_due)(&mut queue);
        if job.is_none() && scheduled.is_none() {
            if queue.jobs.capacity() > MANY {
                let spare = take(&mut queue.jobs);
                drop(queue);
                drop(spare);
                queue = worker.lock();
            } else {
                let next = instant(queue.next);
                queue = worker.sleep(queue, next);
            }
            continue;
        }
        drop(queue);
        if let Some(job) = job {
            run_swallowing(job);
        }
        if let Some(job) = scheduled {
            run_swallowing(job);
        }
        queue = worker.lock();
    }
}

impl Queue {
    const fn new() -> Self {
        Queue {
            jobs: VecDeque::new(),
            scheduled: Wheel::new(),
            next: NEVER,
            due: Vec::new(),
            pop_due: |_| None,
        }
    }

    fn pop_due(&mut self) -> Option<Job> {
        if self.due.is_empty() {
            let now = nanos(clock::now());
            self.next = self.scheduled.take_due(now, 1, &mut self.due);
            if self.due.is_empty() {
                drop(self.scheduled.shrink());
            }
        }
        self.due.pop()
    }
}

/// Runs a job and swallows its panic, which the panic hook has reported: there is no caller to resume it in.
fn run_swallowing(job: impl FnOnce()) {
    if let Some(panic) = Panic::catch(job) {
        panic.swallow();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cantok_testkit::watchdog;
    use std::sync::mpsc;
    use std::thread;

    struct OnDrop(mpsc::Sender<&'static str>);

    impl Drop for OnDrop {
        fn drop(&mut self) {
            self.0.send("memory").unwrap();
        }
    }

    /// As at the end of a burst: the timer's thread has handed over tasks with callbacks, and then frees memory.
    #[test]
    fn memory_is_freed_after_the_callbacks_that_came_first() {
        watchdog("callbacks and memory", || {
            let (go_on, may_go_on) = mpsc::channel();
            let (done, all_done) = mpsc::channel();
            let callback = done.clone();
            wake(Box::new(move || {
                may_go_on.recv().unwrap();
                run(vec![Box::new(move || callback.send("callback").unwrap())]);
            }));
            free(Box::new(OnDrop(done)));
            go_on.send(()).unwrap();
            assert_eq!(all_done.recv(), Ok("callback"));
            assert_eq!(all_done.recv(), Ok("memory"));
        });
    }

    /// Of jobs that come faster than they are run.
    #[test]
    fn a_burst_of_jobs_leaves_no_memory_behind() {
        watchdog("the memory of a burst", || {
            let (done, all_done) = mpsc::channel();
            let job = |_| -> Job {
                let done = done.clone();
                Box::new(move || done.send(()).unwrap())
            };
            run((0..100 * MANY).map(job).collect());
            for _ in 0..100 * MANY {
                all_done.recv().unwrap();
            }
            while BACKGROUND.lock().jobs.capacity() > MANY {
                thread::yield_now();
            }
        });
    }
}
