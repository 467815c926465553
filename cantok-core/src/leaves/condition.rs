use crate::background::Due;
use crate::sync::{AtomicBool, AtomicU8, AtomicU64, Mutex, OnceLock, Ordering, thread_locals};
use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

/// A closure that is asked whether to stop, until it says yes. In one allocation with the closure.
///
/// Builders set what they set through a shared reference: the background thread may still know a condition that had a
/// callback, without being a handle.
pub(crate) struct Condition<A: ?Sized = dyn Ask> {
    pub(crate) on_error: AtomicBool,
    /// What a check has to mind: [`SATISFIED`], [`HOOKED`], [`ASKING`], [`PAUSED`]. One load tells that there is
    /// nothing.
    marks: AtomicU8,
    pub(crate) before: OnceLock<Hook>,
    pub(crate) after: OnceLock<Hook>,
    /// In nanoseconds.
    poll_interval: AtomicU64,
    pub(crate) watch: Mutex<Watch>,
    ask: A,
}

/// A closure, and the way to it that checks take. That way is compiled for each closure, so that what has to be done
/// around the call costs no second call.
pub(crate) trait Ask: Send + Sync {
    /// `None`: the closure failed.
    fn ask(&self) -> Option<bool>;
    /// Asks, if this thread is not asking some condition already. The address is that of this one.
    fn ask_plainly(&self, address: usize) -> Answer;
}

/// What came of asking.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    No,
    Yes,
    Failed,
    NotAsked,
}

impl<F: Fn() -> Option<bool> + Send + Sync> Ask for F {
    fn ask(&self) -> Option<bool> {
        self()
    }

    fn ask_plainly(&self, address: usize) -> Answer {
        let Some(_active) = Active::enter_first(address) else {
            return Answer::NotAsked;
        };
        match self() {
            Some(false) => Answer::No,
            Some(true) => Answer::Yes,
            None => Answer::Failed,
        }
    }
}

pub(crate) type Hook = Box<dyn Fn() + Send + Sync>;

/// How the background thread asks a condition.
#[derive(Default)]
pub(crate) struct Watch {
    /// How many waiters rely on it.
    pub(crate) waiters: usize,
    /// Its place in the schedule of the background thread.
    pub(crate) scheduled: Option<Due>,
    /// When the background thread asked it last.
    pub(crate) asked_at: Option<Instant>,
    /// A check came while the background thread was asking it.
    pub(crate) checked: bool,
}

/// The closure has said yes.
const SATISFIED: u8 = 1;
/// There are hooks around the closure.
const HOOKED: u8 = 2;
/// The background thread is asking the condition.
const ASKING: u8 = 4;
/// The condition panicked when the background thread asked it, and is not asked again before a check.
const PAUSED: u8 = 8;

const POLL_INTERVAL: Duration = Duration::from_millis(1);

impl<A: Ask> Condition<A> {
    pub(crate) fn new(ask: A) -> Self {
        let condition = Condition {
            on_error: AtomicBool::new(false),
            marks: AtomicU8::new(0),
            before: OnceLock::new(),
            after: OnceLock::new(),
            poll_interval: AtomicU64::new(0),
            watch: Mutex::new(Watch::default()),
            ask,
        };
        condition.set_poll_interval(POLL_INTERVAL);
        condition
    }
}

impl<A: Ask + ?Sized> Condition<A> {
    /// How often it is asked while there are waiters.
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

    /// Sets hooks, each at most once. `false`: there was one.
    pub(crate) fn set_hook(&self, place: &OnceLock<Hook>, hook: Hook) -> bool {
        // Relaxed: set before the condition is used.
        self.marks.fetch_or(HOOKED, Ordering::Relaxed);
        place.set(hook).is_ok()
    }

    /// Whether a check has to tell the background thread of itself.
    pub(crate) fn needs_attention(&self) -> bool {
        // Relaxed: a check that misses a change is at the same time as that change. Whoever sees one acts under the
        // lock of `watch`.
        self.marks.load(Ordering::Relaxed) & (ASKING | PAUSED) != 0
    }

    /// Whether the background thread has left the condition alone. Under the lock of `watch`.
    pub(crate) fn is_paused(&self) -> bool {
        // Relaxed: ordered by the lock.
        self.marks.load(Ordering::Relaxed) & PAUSED != 0
    }

    /// The background thread begins to ask. Under the lock of `watch`.
    pub(crate) fn begin(&self) {
        // Relaxed: see `needs_attention`.
        self.marks.fetch_or(ASKING, Ordering::Relaxed);
    }

    /// The background thread has asked, or goes on after a pause. Under the lock of `watch`.
    pub(crate) fn end(&self, pause: bool) {
        // Relaxed: see `needs_attention`. A check between the two sees one of them, which is all the same to it.
        if pause {
            self.marks.fetch_or(PAUSED, Ordering::Relaxed);
            self.marks.fetch_and(!ASKING, Ordering::Relaxed);
        } else {
            self.marks.fetch_and(!(ASKING | PAUSED), Ordering::Relaxed);
        }
    }

    /// Whether this thread is asking the condition: its closure, or a hook, is what checks.
    pub(crate) fn is_asked_here(&self) -> bool {
        INNERMOST.with(Cell::get) == self.address()
            || OUTER
                .try_with(|list| list.borrow().contains(&self.address()))
                .is_ok_and(|is_asked| is_asked)
    }

    /// Whether the closure has said yes.
    pub(crate) fn is_satisfied(&self) -> bool {
        // Acquire: pairs with the release in `conclude`, so that what the closure saw is visible to whoever relies on
        // it.
        self.marks.load(Ordering::Acquire) & SATISFIED != 0
    }

    /// Asks a condition with which there is nothing special, such as hooks. What it says, unless that is
    /// [`Answer::No`], goes to [`Condition::conclude`].
    #[inline]
    pub(crate) fn ask_plainly(&self) -> Answer {
        // Relaxed: nothing is concluded from it but what to do next.
        if self.marks.load(Ordering::Relaxed) != 0 {
            return Answer::NotAsked;
        }
        self.ask.ask_plainly(self.address())
    }

    /// Asks, with the hooks around it. A condition that is being asked further up on this thread's stack is not yet
    /// satisfied.
    pub(crate) fn ask(&self) -> bool {
        if self.is_satisfied() {
            return true;
        }
        let Some(_active) = Active::enter(self.address()) else {
            return false;
        };
        if let Some(before) = self.before.get() {
            before();
        }
        let satisfied = self.conclude(self.ask.ask());
        if let Some(after) = self.after.get() {
            after();
        }
        satisfied
    }

    /// What the closure's answer means. `None`: it failed.
    pub(crate) fn conclude(&self, answer: Option<bool>) -> bool {
        // Relaxed: set before the condition is used.
        let satisfied = answer.unwrap_or_else(|| self.on_error.load(Ordering::Relaxed));
        if satisfied {
            // At once, so that no check that begins from here on calls the closure again. Release: see
            // `is_satisfied`.
            self.marks.fetch_or(SATISFIED, Ordering::Release);
        }
        satisfied
    }

    fn address(&self) -> usize {
        std::ptr::from_ref(self).cast::<()>().addr()
    }
}

thread_locals! {
    /// The condition that this thread is asking, 0 if none: all there is to do in the common case.
    static INNERMOST: Cell<usize> = Cell::new(0);
    /// Those that it is asking further out, when conditions check tokens that have conditions.
    static OUTER: RefCell<Vec<usize>> = RefCell::new(Vec::new());
}

/// A condition that is being asked, until dropped.
struct Active {
    outer: usize,
}

impl Active {
    /// `None`: this thread is asking some condition already.
    #[inline]
    fn enter_first(condition: usize) -> Option<Self> {
        if INNERMOST.with(Cell::get) != 0 {
            return None;
        }
        INNERMOST.with(|innermost| innermost.set(condition));
        Some(Active { outer: 0 })
    }

    /// `None`: this thread is asking it already.
    fn enter(condition: usize) -> Option<Self> {
        let outer = INNERMOST.with(Cell::get);
        if outer == condition {
            return None;
        }
        if outer != 0 && !Active::nest(outer, condition) {
            return None;
        }
        INNERMOST.with(|innermost| innermost.set(condition));
        Some(Active { outer })
    }

    #[cold]
    fn leave_nested() {
        let _ = OUTER.try_with(|list| list.borrow_mut().pop());
    }

    /// `false`: the condition is among those that are asked further out.
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
        INNERMOST.with(|innermost| innermost.set(self.outer));
        if self.outer != 0 {
            Active::leave_nested();
        }
    }
}
