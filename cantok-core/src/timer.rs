//! The thread that marks tokens whose deadline has passed. One for the process, started when first needed, asleep
//! until the earliest deadline. It runs no user code, so nothing that users do makes a deadline late.

use crate::executor;
use crate::node::Jobs;
use crate::sync::{Arc, AtomicBool, Condvar, Mutex, Ordering, Weak, lock, wait, wait_for};
use std::collections::BTreeMap;
use std::time::Instant;
use std::{io, thread};

static TIMER: Timer = Timer {
    alarms: Mutex::new(Alarms {
        running: false,
        next_id: 0,
        entries: BTreeMap::new(),
    }),
    changed: Condvar::new(),
    runs: AtomicBool::new(false),
};

struct Timer {
    alarms: Mutex<Alarms>,
    changed: Condvar,
    /// Whether the thread is known to have been started.
    runs: AtomicBool,
}

struct Alarms {
    running: bool,
    next_id: u64,
    entries: BTreeMap<Alarm, Weak<dyn Ring>>,
}

/// What an alarm is for.
pub(crate) trait Ring: Send + Sync {
    /// It is `now`, and the alarm's instant has passed. Runs on the timer's thread: no user code here, and no waiting.
    /// User code is added to the jobs, which go to the executor.
    fn ring(self: Arc<Self>, now: Instant, jobs: &mut Jobs);
}

/// When to ring, and a number that keeps those of the same instant apart.
pub(crate) type Alarm = (Instant, u64);

/// So many alarms are taken at a time, so that others can come and go between.
const BATCH: usize = 256;

/// Starts the thread, if it does not run yet.
///
/// # Errors
///
/// When the operating system refuses a thread.
pub(crate) fn start() -> io::Result<()> {
    // Relaxed: it stays true, and what the thread works on is behind the lock. Whoever waits again and again comes past
    // here each time, on every core.
    if TIMER.runs.load(Ordering::Relaxed) {
        return Ok(());
    }
    lock(&TIMER.alarms).start()?;
    TIMER.runs.store(true, Ordering::Relaxed);
    Ok(())
}

/// Sets an alarm for that instant. Whoever it is for removes it when it is dropped.
///
/// # Errors
///
/// When the thread cannot be started.
pub(crate) fn schedule(node: Weak<dyn Ring>, at: Instant) -> io::Result<Alarm> {
    let mut alarms = lock(&TIMER.alarms);
    alarms.start()?;
    let alarm = (at, alarms.next_id);
    alarms.next_id += 1;
    alarms.entries.insert(alarm, node);
    if alarms.entries.keys().next() == Some(&alarm) {
        TIMER.changed.notify_one();
    }
    Ok(alarm)
}

/// Forgets an alarm.
pub(crate) fn remove(alarm: &Alarm) {
    let removed = lock(&TIMER.alarms).entries.remove(alarm);
    drop(removed);
}

impl Alarms {
    fn start(&mut self) -> io::Result<()> {
        if !self.running {
            thread::Builder::new()
                .name("cantok-timer".to_owned())
                .spawn(run)?;
            self.running = true;
        }
        Ok(())
    }

    fn take_due(&mut self, now: Instant, due: &mut Vec<Arc<dyn Ring>>) {
        while due.len() < BATCH {
            match self.entries.first_entry() {
                // What is being dropped at this moment is not found any more, and needs no alarm.
                Some(entry) if entry.key().0 <= now => due.extend(entry.remove().upgrade()),
                _ => return,
            }
        }
    }
}

fn run() {
    let mut due = Vec::new();
    let mut alarms = lock(&TIMER.alarms);
    loop {
        let now = Instant::now();
        alarms.take_due(now, &mut due);
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
            alarms = lock(&TIMER.alarms);
            continue;
        }
        let next = alarms.entries.keys().next().map(|alarm| alarm.0);
        alarms = match next {
            None => wait(&TIMER.changed, alarms),
            Some(at) => wait_for(&TIMER.changed, alarms, at.saturating_duration_since(now)),
        };
    }
}
