//! What a cancel leaves to be done when no lock is held and everything is marked (invariant 6).

use super::fired::Fired;
use super::waiter::Waiter;
use super::{Node, rest};
#[cfg(feature = "tracing")]
use crate::CancellationError;
use crate::background::{self, Job};
use crate::panic::Panic;
use crate::parker::Parker;
use crate::sync::{Arc, Weak};
#[cfg(feature = "tracing")]
use crate::trace::Event;
use std::any::Any;
use std::mem::take;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::task::Waker;

/// Usually empty, and then as cheap as a pointer.
#[derive(Default)]
pub(crate) struct Jobs(Option<Box<Work>>);

#[derive(Default)]
struct Work {
    /// In place, since a cancel rarely wakes more than one.
    thread: Option<Arc<Parker>>,
    threads: Vec<Arc<Parker>>,
    wakers: Vec<Waker>,
    /// What is only dropped, which may drop values of the user's: nodes that lost their last handle during the walk,
    /// errors with reasons that came too late, and cancelled heirs.
    dropped: Vec<Box<dyn Any + Send + Sync + UnwindSafe + RefUnwindSafe>>,
    /// Nodes with callbacks, with the number of these.
    callbacks: Vec<(Arc<Node>, usize)>,
    #[cfg(feature = "tracing")]
    events: Vec<Event>,
}

/// Takes a cancelled heir out of the list of a node that still owns it.
struct Owned(Weak<Node>, u32);

impl Drop for Owned {
    fn drop(&mut self) {
        if let Some(owner) = self.0.upgrade() {
            owner.remove(self.1);
        }
    }
}

impl Jobs {
    fn work(&mut self) -> &mut Work {
        self.0.get_or_insert_with(Work::boxed)
    }

    /// Records one event for each cancellation: for the token that fired, not for those derived from it.
    #[cfg(feature = "tracing")]
    pub(super) fn trace(&mut self, error: &CancellationError) {
        let work = self.work();
        let callbacks = work.callbacks.iter().map(|(_, callbacks)| callbacks);
        let callbacks = work.wakers.len() + callbacks.sum::<usize>();
        work.events.push(Event::new(error.clone(), callbacks));
    }

    /// Adds the notification of a waiter that was taken out of its list.
    #[inline]
    pub(super) fn notify(&mut self, waiter: Waiter) {
        match waiter {
            Waiter::Thread(parker) => self.push_thread(parker),
            Waiter::Waker(waker) => self.push_waker(waker),
            Waiter::Itself(node) => self.release(node),
            Waiter::Owner(node, key) => self.push_owner(node, key),
            Waiter::Link(_) | Waiter::Callback(_) | Waiter::Running(_) | Waiter::Heir(_) => {}
        }
    }

    fn push_thread(&mut self, parker: Arc<Parker>) {
        let work = self.work();
        match work.thread {
            None => work.thread = Some(parker),
            Some(_) => work.threads.push(parker),
        }
    }

    #[inline]
    pub(super) fn push_waker(&mut self, waker: Waker) {
        self.work().wakers.push(waker);
    }

    fn push_owner(&mut self, node: Weak<Node>, key: u32) {
        self.work().dropped.push(Box::new(Owned(node, key)));
    }

    pub(super) fn push_callbacks(&mut self, node: Arc<Node>, callbacks: usize) {
        self.work().callbacks.push((node, callbacks));
    }

    /// Drops a cause that came too late.
    #[inline]
    pub(super) fn drop_late(&mut self, fired: Fired) {
        // Only a reason is the user's.
        if fired.has_reason() {
            self.work().dropped.push(Box::new(fired));
        }
    }

    /// Releases a reference to a node. If it is the last one, the node is dropped with the jobs.
    pub(crate) fn release(&mut self, node: Arc<Node>) {
        if let Some(node) = Arc::into_inner(node) {
            self.work().dropped.push(Box::new(node));
        }
    }

    /// Releases a link that was removed. Dropping a weak reference drops no node.
    pub(super) fn release_link(&mut self, link: Option<Waiter>) {
        if let Some(Waiter::Heir(node)) = link {
            self.release(node);
        }
    }

    /// Wakes the waiting threads. Runs no user code.
    pub(crate) fn wake_threads(&mut self) {
        if let Some(work) = &mut self.0 {
            work.wake_threads();
        }
    }

    /// Runs all user code soon, wakers first, but not on this thread, which may be the timer's.
    pub(super) fn run_in_background(self) {
        let Some(mut work) = self.0 else { return };
        let wakers = take(&mut work.wakers);
        if wakers.is_empty() {
            return work.run_in_background();
        }
        background::wake(Box::new(move || {
            let mut first = None;
            Panic::catch_each(&mut first, wakers, Waker::wake);
            // Only now: callbacks come after the wakers of the same cancel.
            work.run_in_background();
            if let Some(panic) = first {
                panic.swallow();
            }
        }));
    }

    /// Runs everything on this thread, even if some of it panics. The first panic is resumed afterwards, unless the
    /// thread is already unwinding.
    #[inline]
    pub(crate) fn run(self) {
        if self.0.is_some() {
            self.run_all();
        }
    }

    #[inline(never)]
    fn run_all(self) {
        if let Some(mut work) = self.0 {
            work.wake_threads();
            work.run_user_code();
        }
    }
}

impl Work {
    #[cold]
    #[inline(never)]
    fn boxed() -> Box<Self> {
        Box::default()
    }

    /// Runs everything but wakers, one job for each callback.
    fn run_in_background(mut self: Box<Self>) {
        let callbacks = take(&mut self.callbacks);
        let mut jobs: Vec<Job> = Vec::new();
        if self.has_user_code() {
            jobs.push(Box::new(|| self.run_user_code()));
        }
        for (node, _) in callbacks {
            jobs.push(Box::new(|| run_callback_in_background(node, 0)));
        }
        if !jobs.is_empty() {
            background::run(jobs);
        }
    }

    fn wake_threads(&mut self) {
        if let Some(parker) = self.thread.take() {
            parker.unpark();
        }
        for parker in &self.threads {
            parker.unpark();
        }
        self.threads.clear();
    }

    fn has_user_code(&self) -> bool {
        #[cfg(feature = "tracing")]
        if !self.events.is_empty() {
            return true;
        }
        !self.wakers.is_empty() || !self.dropped.is_empty() || !self.callbacks.is_empty()
    }

    #[inline(never)]
    fn run_user_code(self) {
        let mut first = None;
        // Wakers first: unlike destructors, events and callbacks they do not block.
        Panic::catch_each(&mut first, self.wakers, Waker::wake);
        // Before the callbacks, which may block: a node that the cancel has passed is not kept alive.
        Panic::catch_each(&mut first, self.dropped, drop);
        #[cfg(feature = "tracing")]
        Panic::catch_each(&mut first, self.events, Event::emit);
        for (node, _) in self.callbacks {
            let mut next = Some(0);
            while let Some(from) = next {
                next = run_callback(&node, from, &mut first);
            }
            Panic::keep_first(&mut first, Panic::catch_drop(node));
        }
        if let Some(panic) = first {
            panic.resume();
        }
    }
}

/// [`Node::run_callback`], through the pointer.
fn run_callback(node: &Arc<Node>, from: u32, first: &mut Option<Panic>) -> Option<u32> {
    rest::callbacks().and_then(|all| (all.run)(node, from, first))
}

/// Calls a callback of a node. The next one is a job that comes after those that wait already.
fn run_callback_in_background(node: Arc<Node>, from: u32) {
    let mut first = None;
    match run_callback(&node, from, &mut first) {
        Some(next) => {
            background::run(vec![Box::new(move || {
                run_callback_in_background(node, next)
            })]);
        }
        None => Panic::keep_first(&mut first, Panic::catch_drop(node)),
    }
    if let Some(panic) = first {
        panic.resume();
    }
}
