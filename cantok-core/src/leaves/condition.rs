//! The settings and the state of a condition. Its closure belongs to its node.

use crate::background::Due;
use crate::sync::{
    AtomicBool, AtomicU8, AtomicU64, Mutex, OnceLock, Ordering, get_local, set_local, thread_locals,
};
use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

/// The settings and the state of a condition.
///
/// Builders change the settings through a shared reference: the background thread may still refer to a condition that
/// had a callback, without being a handle.
pub(crate) struct Calls {
    pub(crate) on_error: AtomicBool,
    /// What a check must react to: [`SATISFIED`], [`HOOKED`], [`CALLING`], [`PAUSED`]. One load shows that none is set.
    marks: AtomicU8,
    pub(crate) before: OnceLock<Hook>,
    pub(crate) after: OnceLock<Hook>,
    /// In nanoseconds.
    poll_interval: AtomicU64,
    pub(crate) watch: Mutex<Watch>,
}

pub(crate) type Hook = Box<dyn Fn() + Send + Sync>;

/// How the background thread polls a condition.
#[derive(Default)]
pub(crate) struct Watch {
    /// How many waiters need the polling.
    pub(crate) waiters: usize,
    /// The condition's place in the background thread's schedule.
    pub(crate) scheduled: Option<Due>,
    /// How many places it had before: tells this one from those.
    pub(crate) round: u64,
    /// When the background thread last called the closure.
    pub(crate) called_at: Option<Instant>,
    /// A check came while the background thread was calling the closure.
    pub(crate) checked: bool,
}

impl Watch {
    /// Gives up the place in the schedule. A job that was already taken from there finds another round.
    pub(crate) fn leave_schedule(&mut self) -> Option<Due> {
        self.round += 1;
        self.scheduled.take()
    }
}

/// The closure has returned `true`.
const SATISFIED: u8 = 1;
/// The closure has hooks.
const HOOKED: u8 = 2;
/// The background thread is calling the closure.
const CALLING: u8 = 4;
/// The closure panicked on the background thread, which calls it again only after a check.
const PAUSED: u8 = 8;

/// The default, in nanoseconds.
const POLL_INTERVAL: u64 = 1_000_000;

impl Calls {
    pub(crate) fn new() -> Self {
        Calls {
            on_error: AtomicBool::new(false),
            marks: AtomicU8::new(0),
            before: OnceLock::new(),
            after: OnceLock::new(),
            poll_interval: AtomicU64::new(POLL_INTERVAL),
            watch: Mutex::new(Watch::default()),
        }
    }

    /// Begins a call of a condition without marks. `None` if it has some, or if this thread is already calling some
    /// condition.
    #[inline]
    pub(crate) fn enter_plainly(&self) -> Option<Active> {
        // Relaxed: this only chooses the path.
        let marks = self.marks.load(Ordering::Relaxed);
        // One branch for both.
        if usize::from(marks) | get_local(&INNERMOST) != 0 {
            return None;
        }
        set_local(&INNERMOST, self.address());
        Some(Active { outer: 0 })
    }

    /// Begins a call. `None` if this thread is already calling this condition.
    pub(crate) fn enter(&self) -> Option<Active> {
        let outer = get_local(&INNERMOST);
        if outer == self.address() {
            return None;
        }
        if outer != 0 && !Active::nest(outer, self.address()) {
            return None;
        }
        set_local(&INNERMOST, self.address());
        Some(Active { outer })
    }

    /// How often the closure is called while there are waiters.
    pub(crate) fn poll_interval(&self) -> Duration {
        // Relaxed: set before the condition is used.
        Duration::from_nanos(self.poll_interval.load(Ordering::Relaxed))
    }

    /// Durations of more than 584 years are cut to that.
    pub(crate) fn set_poll_interval(&self, interval: Duration) {
        // Relaxed: see `poll_interval`.
        let nanoseconds = u64::try_from(interval.as_nanos()).unwrap_or(u64::MAX);
        self.poll_interval.store(nanoseconds, Ordering::Relaxed);
    }

    /// Sets a hook. `false` if there was one.
    pub(crate) fn set_hook(&self, place: &OnceLock<Hook>, hook: Hook) -> bool {
        // Relaxed: set before the condition is used.
        self.marks.fetch_or(HOOKED, Ordering::Relaxed);
        place.set(hook).is_ok()
    }

    /// Whether a check must report itself to the background thread.
    pub(crate) fn must_report_checks(&self) -> bool {
        // Relaxed: a check that misses a change happens at the same time as that change. A check that sees one acts
        // under the lock of `watch`.
        self.marks.load(Ordering::Relaxed) & (CALLING | PAUSED) != 0
    }

    /// Whether the background thread has paused polling. Requires the lock of `watch`.
    pub(crate) fn is_paused(&self) -> bool {
        // Relaxed: ordered by the lock.
        self.marks.load(Ordering::Relaxed) & PAUSED != 0
    }

    /// Notes that the background thread begins a call. Requires the lock of `watch`.
    pub(crate) fn begin(&self) {
        // Relaxed: see `must_report_checks`.
        self.marks.fetch_or(CALLING, Ordering::Relaxed);
    }

    /// Notes that the background thread has ended a call, or that a pause is over. Requires the lock of `watch`.
    pub(crate) fn end(&self, pause: bool) {
        // Relaxed: see `must_report_checks`. A check between the two changes sees both marks, which has the effect of
        // either.
        if pause {
            self.marks.fetch_or(PAUSED, Ordering::Relaxed);
            self.marks.fetch_and(!CALLING, Ordering::Relaxed);
        } else {
            self.marks.fetch_and(!(CALLING | PAUSED), Ordering::Relaxed);
        }
    }

    /// Whether this thread is calling the condition, so that its closure, or a hook, is what checks.
    pub(crate) fn is_called_here(&self) -> bool {
        get_local(&INNERMOST) == self.address()
            || OUTER
                .try_with(|list| list.borrow().contains(&self.address()))
                .is_ok_and(|is_called| is_called)
    }

    /// Whether the closure has returned `true`.
    pub(crate) fn is_satisfied(&self) -> bool {
        // Acquire: pairs with the release in `record`, so that what the closure saw is visible to the caller.
        self.marks.load(Ordering::Acquire) & SATISFIED != 0
    }

    /// Returns whether the closure's answer satisfies the condition. `None` if the closure failed.
    pub(crate) fn record(&self, answer: Option<bool>) -> bool {
        // Relaxed: set before the condition is used.
        let satisfied = answer.unwrap_or_else(|| self.on_error.load(Ordering::Relaxed));
        if satisfied {
            // At once, so that no check that begins after this calls the closure again. Release: see `is_satisfied`.
            self.marks.fetch_or(SATISFIED, Ordering::Release);
        }
        satisfied
    }

    fn address(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }
}

thread_locals! {
    /// The innermost condition that this thread is calling, 0 if none. In the common case it is the only one.
    static INNERMOST: Cell<usize> = Cell::new(0);
    /// The outer ones, when conditions check tokens that have conditions.
    static OUTER: RefCell<Vec<usize>> = RefCell::new(Vec::new());
}

/// A condition that is being called, until dropped.
pub(crate) struct Active {
    outer: usize,
}

impl Active {
    #[cold]
    fn leave_nested() {
        let _ = OUTER.try_with(|list| list.borrow_mut().pop());
    }

    /// `false` if the condition is one of the outer ones.
    #[cold]
    fn nest(outer: usize, condition: usize) -> bool {
        let nested = OUTER.try_with(|list| {
            let mut list = list.borrow_mut();
            let new = !list.contains(&condition);
            if new {
                list.push(outer);
            }
            new
        });
        // At the end of a thread the list may be gone; then only the innermost condition is remembered.
        nested.unwrap_or(true)
    }
}

impl Drop for Active {
    #[inline]
    fn drop(&mut self) {
        set_local(&INNERMOST, self.outer);
        if self.outer != 0 {
            Active::leave_nested();
        }
    }
}
