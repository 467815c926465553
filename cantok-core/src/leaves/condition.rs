use crate::executor::Due;
use crate::sync::{AtomicBool, Mutex, Ordering};
use std::cell::{Cell, RefCell};
use std::time::Duration;

/// A closure that is asked whether to stop, until it says yes.
pub(crate) struct Condition {
    /// `None`: the closure failed.
    ask: Box<dyn Fn() -> Option<bool> + Send + Sync>,
    pub(crate) on_error: bool,
    pub(crate) before: Option<Hook>,
    pub(crate) after: Option<Hook>,
    /// How often those who wait ask.
    pub(crate) poll_interval: Duration,
    satisfied: AtomicBool,
    paused: AtomicBool,
    pub(crate) watch: Mutex<Watch>,
}

pub(crate) type Hook = Box<dyn Fn() + Send + Sync>;

/// How a condition is asked for callbacks that rely on it.
#[derive(Default)]
pub(crate) struct Watch {
    /// How many callbacks rely on it.
    pub(crate) demand: usize,
    /// Where it stands in the executor's schedule.
    pub(crate) scheduled: Option<Due>,
    /// It is being asked by the executor at this moment.
    pub(crate) asking: bool,
}

impl Condition {
    pub(crate) const POLL_INTERVAL: Duration = Duration::from_millis(1);

    pub(crate) fn new(ask: impl Fn() -> Option<bool> + Send + Sync + 'static) -> Self {
        Condition {
            ask: Box::new(ask),
            on_error: false,
            before: None,
            after: None,
            poll_interval: Self::POLL_INTERVAL,
            satisfied: AtomicBool::new(false),
            paused: AtomicBool::new(false),
            watch: Mutex::new(Watch::default()),
        }
    }

    /// Whether it panicked while nobody checked, and is left alone until somebody does.
    #[inline]
    pub(crate) fn is_paused(&self) -> bool {
        // Relaxed: a hint for checks. Whoever acts on it does so under the lock of `watch`.
        self.paused.load(Ordering::Relaxed)
    }

    /// Called under the lock of `watch`.
    pub(crate) fn set_paused(&self, paused: bool) {
        // Relaxed: see `is_paused`.
        self.paused.store(paused, Ordering::Relaxed);
    }

    /// Asks, with the hooks around it. A condition that is being asked further up on this thread's stack is not yet
    /// satisfied.
    pub(crate) fn ask(&self) -> bool {
        // Acquire: pairs with the release below, so that what the closure saw is visible to whoever relies on it.
        if self.satisfied.load(Ordering::Acquire) {
            return true;
        }
        let Some(_active) = Active::enter(std::ptr::from_ref(self).addr()) else {
            return false;
        };
        if let Some(before) = &self.before {
            before();
        }
        let satisfied = (self.ask)().unwrap_or(self.on_error);
        if satisfied {
            // At once, so that no check that begins from here on calls the closure again. Release: see above.
            self.satisfied.store(true, Ordering::Release);
        }
        if let Some(after) = &self.after {
            after();
        }
        satisfied
    }
}

thread_local! {
    /// The condition that this thread is asking, 0 if none: all there is to do in the common case.
    static INNERMOST: Cell<usize> = const { Cell::new(0) };
    /// Those that it is asking further out, when conditions check tokens that have conditions.
    static OUTER: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

/// A condition that is being asked, until dropped.
struct Active {
    outer: usize,
}

impl Active {
    /// `None`: this thread is asking it already.
    fn enter(condition: usize) -> Option<Self> {
        let outer = INNERMOST.get();
        if outer == condition {
            return None;
        }
        if outer != 0 && !Active::nest(outer, condition) {
            return None;
        }
        INNERMOST.set(condition);
        Some(Active { outer })
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
    fn drop(&mut self) {
        INNERMOST.set(self.outer);
        if self.outer != 0 {
            let _ = OUTER.try_with(|list| list.borrow_mut().pop());
        }
    }
}
