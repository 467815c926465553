//! What waits for a node's cancel: one list for all kinds, behind one lock that checks never take.

use super::sources::Depth;
use super::state::Snapshot;
use super::waiter::{Waiter, WaiterKind};
use super::{Body, Jobs, Kind, Node, rest};
use crate::background;
use crate::panic::Panic;
use crate::parker::Parker;
use crate::slab::Slab;
use crate::sync::{Arc, ThreadKey, get_mut, lock, try_lock};
use std::any::Any;
use std::io;
use std::mem::{forget, replace, take};
use std::task::Waker;

/// What a cancel counts in a list.
#[derive(Default)]
struct Counts {
    wakers: usize,
    callbacks: usize,
    has_links: bool,
}

impl Counts {
    fn count(&mut self, waiter: &Waiter) {
        match waiter {
            Waiter::Link(_) | Waiter::Heir(_) => self.has_links = true,
            Waiter::Waker(_) => self.wakers += 1,
            Waiter::Callback(_) => self.callbacks += 1,
            Waiter::Thread(_) | Waiter::Running(_) | Waiter::Itself(_) | Waiter::Owner(..) => {}
        }
    }
}

/// Small for the most common numbers: most nodes never have a waiter, most others have one. A cancel of many nodes pays
/// for every cache line.
#[derive(Default)]
pub(super) enum Waiters {
    #[default]
    None,
    /// Has the key 0.
    One(Waiter),
    Many(Box<Many>),
}

pub(super) struct Many {
    slab: Slab<Waiter>,
    /// Threads that wait for the end of the running callback. Not in the slab: after a cancel no key of that may be
    /// used again.
    awaiting: Vec<Arc<Parker>>,
    /// What lives as long as the node, see `TokenAdapterExt::attach`.
    attached: Vec<Box<dyn Any + Send + Sync>>,
}

impl Waiters {
    #[inline(always)]
    fn insert(&mut self, waiter: impl WaiterKind) -> u32 {
        let many = match self {
            Waiters::None => {
                Node::link_rest();
                // The old value owns nothing, so it is not dropped.
                forget(replace(self, Waiters::One(waiter.into_waiter())));
                return 0;
            }
            Waiters::Many(many) => many,
            one => one.many(),
        };
        many.slab.insert_with(|| waiter.into_waiter())
    }

    fn many(&mut self) -> &mut Many {
        if !matches!(self, Waiters::Many(_)) {
            let mut many = Box::new(Many {
                slab: Slab::new(),
                awaiting: Vec::new(),
                attached: Vec::new(),
            });
            if let Waiters::One(first) = take(self) {
                many.slab.insert(first);
            }
            *self = Waiters::Many(many);
        }
        match self {
            Waiters::Many(many) => many,
            Waiters::None | Waiters::One(_) => unreachable!("just made"),
        }
    }

    /// Removes the waiter with that key, if it is a `W` and was not notified. After a cancel nothing is inserted any
    /// more, so no other waiter gets that key.
    #[inline(always)]
    fn remove<W: WaiterKind>(&mut self, key: u32) -> Option<W> {
        match self {
            Waiters::One(only) if key == 0 && W::is(only) => self.remove_only(),
            Waiters::None | Waiters::One(_) => None,
            Waiters::Many(many) => many.slab.remove_as(key, W::is, W::from_waiter),
        }
    }

    /// [`Waiters::remove`] of the only waiter, which is a `W`.
    #[inline(always)]
    fn remove_only<W: WaiterKind>(&mut self) -> Option<W> {
        match take(self) {
            Waiters::One(only) => W::from_waiter(only),
            other => {
                forget(other);
                None
            }
        }
    }

    /// [`Waiters::remove`] of a waiter of any kind.
    #[inline(never)]
    fn remove_any(&mut self, key: u32) -> Option<Waiter> {
        self.remove(key)
    }

    fn is_empty(&self) -> bool {
        match self {
            Waiters::None => true,
            Waiters::One(_) => false,
            Waiters::Many(many) => many.slab.is_empty() && many.attached.is_empty(),
        }
    }

    fn get_mut(&mut self, key: u32) -> Option<&mut Waiter> {
        match self {
            Waiters::None => None,
            Waiters::One(only) => Some(only).filter(|_| key == 0),
            Waiters::Many(many) => many.slab.get_mut(key),
        }
    }

    /// The key of the first callback from that one on.
    fn next_callback(&self, from: u32) -> Option<u32> {
        let is_callback = |waiter: &Waiter| matches!(waiter, Waiter::Callback(_));
        match self {
            Waiters::None => None,
            Waiters::One(only) => (from == 0 && is_callback(only)).then_some(0),
            Waiters::Many(many) => many.slab.find(from, is_callback),
        }
    }

    /// Moves the waker in a cancelled node's list to the jobs, if there is nothing else: by far the most common case.
    #[inline]
    fn notify_waker(&mut self, jobs: &mut Jobs) -> bool {
        let Waiters::One(Waiter::Waker(waker)) = self else {
            return false;
        };
        // Moving the whole list would be slower: the waker is read right away, before the copy is complete.
        jobs.push_waker(replace(waker, Waker::noop().clone()));
        *self = Waiters::None;
        true
    }

    /// Moves the threads, tasks and handles in a cancelled node's list to the jobs.
    fn notify(&mut self, jobs: &mut Jobs) -> Counts {
        let mut counts = Counts::default();
        match self {
            Waiters::None => {}
            Waiters::One(only) => {
                counts.count(only);
                if only.is_taken() {
                    if let Some(waiter) = self.remove_any(0) {
                        jobs.notify(waiter);
                    }
                }
            }
            Waiters::Many(many) => {
                let is_taken = |waiter: &Waiter| {
                    counts.count(waiter);
                    waiter.is_taken()
                };
                many.slab.remove_if(is_taken, |waiter| jobs.notify(waiter));
            }
        }
        counts
    }

    /// The threads that wait for the end of a callback.
    fn take_awaiting(&mut self) -> Vec<Arc<Parker>> {
        match self {
            Waiters::Many(many) => take(&mut many.awaiting),
            Waiters::None | Waiters::One(_) => Vec::new(),
        }
    }
}

/// A node that is linked below a cancelled one.
pub(super) struct Below {
    pub(super) node: Arc<Node>,
    /// The key of its link.
    pub(super) key: u32,
    /// Its state before [`Node::follow`]. `None` for a node that does not have exactly one edge.
    pub(super) followed: Option<Snapshot>,
}

impl Below {
    #[inline]
    fn new(key: u32, node: Arc<Node>) -> Self {
        let followed = node.state.has_one_edge().then(|| node.follow());
        Below {
            node,
            key,
            followed,
        }
    }

    /// Notifies a node that this has marked and that a task alone waits for. Returns whether it did. Only tries to lock,
    /// since the caller has locked the source (invariant 7). A node with conditions is left out: its waiters unregister
    /// with these under other locks.
    #[inline]
    fn notify_waker(&self, jobs: &mut Jobs) -> bool {
        let is_plain = |before: Snapshot| !before.is_cancelled() && !before.has_conditions();
        let has_notified = self.followed.is_some_and(is_plain)
            && try_lock(&self.node.waiters).is_some_and(|mut waiters| waiters.notify_waker(jobs));
        if has_notified {
            self.node.complete();
        }
        has_notified
    }

    /// Whether the node is marked, and has nothing below it.
    #[inline]
    fn is_done(&self) -> bool {
        self.followed.is_some_and(|before| !before.has_waiters())
    }
}

/// How many links are followed before the lock is released, so that each node is still in the cache when its turn
/// comes.
const BATCH: usize = 64;

impl Node {
    /// Arms the node and registers a waiter. Returns the waiter if the node can never be cancelled, or if it or a source
    /// is cancelled (invariant 3); [`Node::cancellation`] then finds the error.
    ///
    /// # Panics
    ///
    /// If the waiter needs a thread that the operating system refuses, as `std::thread::spawn` does.
    #[inline(always)]
    pub(crate) fn register<W: WaiterKind>(self: &Arc<Self>, waiter: W) -> Result<u32, W> {
        let is_prepared = self.is_prepared();
        if !is_prepared && !self.prepare(W::NEEDS_POLLING) {
            return Err(waiter);
        }
        {
            let mut waiters = lock(&self.waiters);
            let is_announced = if is_prepared {
                self.state.announce()
            } else {
                self.push_and_announce(W::NEEDS_POLLING)
            };
            if is_announced {
                return Ok(waiters.insert(waiter));
            }
        }
        if W::NEEDS_POLLING {
            self.unwatch_conditions(1);
        }
        Err(waiter)
    }

    /// Whether a waiter needs nothing but its place in the list: the sources push, and there is neither a deadline nor a
    /// condition, which need threads.
    #[inline]
    pub(crate) fn is_prepared(&self) -> bool {
        self.state.is_pushed_without_conditions()
            && !self.has_deadline()
            && self.kind != Kind::Never
    }

    /// Starts what a waiter relies on, before it is registered. `false` if the node can never be cancelled.
    #[inline(never)]
    fn prepare(self: &Arc<Self>, needs_polling: bool) -> bool {
        if self.kind == Kind::Never {
            return false;
        }
        if needs_polling {
            if let Err(refused) = self.start_threads() {
                panic!("failed to spawn thread: {refused}");
            }
            self.watch_conditions();
            self.arm_moving();
        }
        true
    }

    /// Starts the threads that deadlines and conditions need, before a waiter relies on them.
    fn start_threads(&self) -> io::Result<()> {
        self.start_timer()?;
        if self.has_deadline() || self.state.has_conditions() {
            background::start()?;
        }
        Ok(())
    }

    /// Arms the node and announces a waiter. `false` if the node or an edge is cancelled. Requires the lock of the
    /// waiters.
    #[inline(never)]
    fn push_and_announce(self: &Arc<Self>, needs_polling: bool) -> bool {
        match self.push_sources(needs_polling) {
            Some(true) => self.state.arm_and_announce(),
            Some(false) => self.state.announce(),
            None => false,
        }
    }

    /// Removes a waiter of [`Node::register`]. `None` if it was or is being notified.
    #[inline]
    pub(crate) fn unregister<W: WaiterKind>(&self, key: u32) -> Option<W> {
        let waiter = lock(&self.waiters).remove(key)?;
        if W::NEEDS_POLLING {
            self.unwatch_conditions(1);
        }
        Some(waiter)
    }

    /// [`Node::unregister`] for a waker. May leave it to the canceller if that is about to wake it.
    #[inline]
    pub(crate) fn unregister_unless_notified(&self, key: u32) -> Option<Waker> {
        // With conditions it is removed at once, since they are polled only as long as there are waiters.
        if self.is_marked() && !self.state.has_conditions() {
            return None;
        }
        self.unregister(key)
    }

    /// Keeps a node with a detached callback until it is cancelled, if a source cancels by itself.
    pub(crate) fn keep(self: Arc<Self>) {
        let mut goes_on = self.deadline.is_some() || self.state.has_conditions();
        // A delayed node leaves its callbacks to an orphan.
        self.for_each_moving(Depth::Any, &mut |node| goes_on |= node.idle().is_some());
        if goes_on {
            // A cancelled node is not kept.
            let _ = self.insert(Waiter::Itself(Arc::clone(&self)));
        }
    }

    /// Inserts a waiter, or returns it if the node is cancelled (invariant 3).
    pub(crate) fn insert<W: WaiterKind>(&self, waiter: W) -> Result<u32, W> {
        let mut waiters = lock(&self.waiters);
        if self.state.announce() {
            Ok(waiters.insert(waiter))
        } else {
            Err(waiter)
        }
    }

    pub(crate) fn remove(&self, key: u32) -> Option<Waiter> {
        lock(&self.waiters).remove_any(key)
    }

    /// Keeps `guard` until this node, and so everything derived from it, is gone.
    pub(crate) fn attach(&self, guard: Box<dyn Any + Send + Sync>) {
        Node::link_rest();
        let mut waiters = lock(&self.waiters);
        // No canceller takes a guard, so it never comes too late.
        self.state.announce_guard();
        waiters.many().attached.push(guard);
    }

    /// Whether there are no waiters and nothing is attached. Takes no lock if there never was any.
    pub(super) fn is_bare(&self) -> bool {
        !self.state.has_waiters() || lock(&self.waiters).is_empty()
    }

    /// Wakes the thread that waits for this cancelled node, if it is the only waiter. Returns whether it did.
    #[inline(always)]
    pub(super) fn wake_thread(&self) -> bool {
        let thread = match &mut *lock(&self.waiters) {
            one @ Waiters::One(Waiter::Thread(_)) => one.remove_only::<Arc<Parker>>(),
            _ => None,
        };
        let Some(parker) = thread else {
            return false;
        };
        self.complete();
        parker.unpark();
        true
    }

    /// Moves the waiters of a cancelled node to the jobs. Links stay (invariant 4), and so do callbacks, for
    /// [`Node::run_callback`]. Returns whether there are links.
    pub(super) fn notify(self: &Arc<Self>, jobs: &mut Jobs) -> bool {
        let mut waiters = lock(&self.waiters);
        if waiters.notify_waker(jobs) {
            drop(waiters);
            self.unwatch_conditions(1);
            return false;
        }
        let counts = waiters.notify(jobs);
        drop(waiters);
        if counts.wakers > 0 {
            self.unwatch_conditions(counts.wakers);
        }
        if counts.callbacks > 0 {
            jobs.push_callbacks(Arc::clone(self), counts.callbacks);
        }
        counts.has_links
    }

    /// Calls a callback of a cancelled node, the first from that key on, even if it panics. Returns the next one's key,
    /// if there is one. Only the thread that has cancelled the node, or has received its jobs, may do so.
    pub(super) fn run_callback(
        self: &Arc<Self>,
        from: u32,
        first: &mut Option<Panic>,
    ) -> Option<u32> {
        let error = self.error()?;
        let (key, callback) = {
            let mut waiters = lock(&self.waiters);
            let key = waiters.next_callback(from)?;
            let running = Waiter::Running(ThreadKey::current());
            let waiter = waiters.get_mut(key)?;
            (key, replace(waiter, running))
        };
        self.unwatch_conditions(1);
        if let Waiter::Callback(callback) = callback {
            Panic::keep_first(first, Panic::catch(|| callback(error)));
        }
        let (threads, next) = {
            let mut waiters = lock(&self.waiters);
            waiters.remove_any(key);
            (waiters.take_awaiting(), waiters.next_callback(key))
        };
        for thread in &threads {
            thread.unpark();
        }
        next
    }

    /// Waits until another thread has finished calling a callback.
    pub(crate) fn wait_for_callback(&self, key: u32) {
        loop {
            let parker = {
                let mut waiters = lock(&self.waiters);
                match waiters.get_mut(key) {
                    Some(Waiter::Running(thread)) if *thread != ThreadKey::current() => {}
                    _ => return,
                }
                let parker = Arc::new(Parker::new());
                waiters.many().awaiting.push(Arc::clone(&parker));
                parker
            };
            parker.park(None);
        }
    }

    /// Follows some of the links of this cancelled node, from that key on. Nodes whose one edge this is are marked at
    /// once. If there are several links, those are removed that lead to a marked node without waiters, or with a single
    /// task. What all others lead to is added to `rest`. Returns the key at which to continue.
    pub(super) fn links(&self, from: u32, rest: &mut Vec<Below>, jobs: &mut Jobs) -> Option<u32> {
        let mut waiters = lock(&self.waiters);
        match &mut *waiters {
            Waiters::None => None,
            Waiters::One(only) => {
                if let Some(node) = only.below() {
                    rest.push(Below::new(0, node));
                }
                None
            }
            Waiters::Many(many) => {
                let is_removed = |key, waiter: &Waiter| {
                    let Some(node) = waiter.below() else {
                        return false;
                    };
                    let below = Below::new(key, node);
                    let is_done = below.is_done() || below.notify_waker(jobs);
                    if is_done {
                        jobs.release(below.node);
                    } else {
                        rest.push(below);
                    }
                    is_done
                };
                // Only links, which are weak: an heir has no edge. So no node is dropped here.
                many.slab.remove_some(from, BATCH, is_removed, drop)
            }
        }
    }

    /// Removes links of a cancelled node (invariant 4), all of one batch of [`Node::links`].
    pub(super) fn remove_links(&self, keys: &mut Vec<u32>, jobs: &mut Jobs) {
        if !keys.is_empty() {
            let mut waiters = lock(&self.waiters);
            for key in &*keys {
                jobs.release_link(waiters.remove_any(*key));
            }
            keys.clear();
        }
    }

    /// Removes all links of a cancelled node.
    pub(super) fn remove_all_links(&self, jobs: &mut Jobs) {
        let mut waiters = lock(&self.waiters);
        match &mut *waiters {
            Waiters::None => {}
            Waiters::One(only) if !only.is_link() => {}
            Waiters::One(_) => jobs.release_link(waiters.remove_any(0)),
            Waiters::Many(many) => many
                .slab
                .remove_if(Waiter::is_link, |link| jobs.release_link(Some(link))),
        }
    }

    /// Takes the waiters and the guards out of a node that is being dropped.
    pub(super) fn take_waiters(&mut self) -> (Vec<Waiter>, Vec<Box<dyn Any + Send + Sync>>) {
        match take(get_mut(&mut self.waiters)) {
            Waiters::None => (Vec::new(), Vec::new()),
            Waiters::One(only) => (vec![only], Vec::new()),
            Waiters::Many(many) => (many.slab.into_values(), many.attached),
        }
    }

    fn watch_conditions(self: &Arc<Self>) {
        if !self.state.has_conditions() {
            return;
        }
        let Some(all) = rest::conditions() else {
            return;
        };
        self.find_polled(&mut |node| {
            (all.watch)(node);
            false
        });
    }

    #[inline]
    pub(super) fn unwatch_conditions(&self, waiters: usize) {
        if waiters > 0 && self.state.has_conditions() {
            self.unwatch_each_condition(waiters);
        }
    }

    #[cold]
    fn unwatch_each_condition(&self, waiters: usize) {
        let Some(all) = rest::conditions() else {
            return;
        };
        match &self.body {
            Body::Derived(derived) => {
                derived.find_polled(&mut |node| {
                    (all.unwatch)(node, waiters);
                    false
                });
            }
            _ => (all.unwatch)(self, waiters),
        }
    }
}
