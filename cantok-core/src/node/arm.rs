//! From polling to being pushed: a node links itself to its sources and hands its deadline to the timer.

use super::edges::Edge;
use super::sources::Depth;
use super::{Body, Jobs, Node, rest};
use crate::background;
use crate::leaves::MovingDeadline;
use crate::sync::{Arc, Ordering, Weak, lock};
use crate::timer::{Alarm, Timer};
use std::hint::black_box;
use std::io;
use std::time::Instant;

/// How many checks a node polls its edges and deadline before it arms itself. By then polling (a clock read of about 20
/// ns) has cost what arming costs.
const CHECKS_BEFORE_ARMING: u8 = 64;

/// Its thread marks nodes and runs no user code.
static TIMER: Timer<Weak<Node>> =
    Timer::new("cantok-timer", || TIMER.run(expire_all, background::free));

/// Starts the timer's thread in this process.
pub(crate) fn start_timer_here() -> io::Result<()> {
    TIMER.start_here()
}

impl Node {
    /// Arms the node: has everything pushed that can be (invariant 2).
    ///
    /// # Errors
    ///
    /// If the timer's thread cannot be started, or belongs to a process from which this one was forked. The node then
    /// stays unarmed and polls.
    fn arm(self: &Arc<Self>) -> io::Result<()> {
        self.start_timer()?;
        if self.has_deadline() && TIMER.is_forked() {
            return Err(io::Error::other("the timer's thread is in another process"));
        }
        self.arm_moving();
        let _lock = lock(&self.waiters);
        if self.push_sources(true) == Some(true) {
            self.state.arm();
        }
        Ok(())
    }

    /// Starts the timer's thread if this node needs it.
    pub(crate) fn start_timer(&self) -> io::Result<()> {
        if self.has_deadline() && self.state.get().is_unarmed() {
            TIMER.start()?;
        }
        Ok(())
    }

    /// Arms the sources whose deadlines move. Requires that no lock is held, since each source has one of its own.
    pub(super) fn arm_moving(self: &Arc<Self>) {
        if self.state.get().is_unarmed() {
            self.for_each_moving(Depth::Unarmed, &mut |node| {
                let _lock = lock(&node.waiters);
                if node.push_sources(true) == Some(true) {
                    node.state.arm();
                }
            });
        }
    }

    /// Registers for everything that this node would poll. Requires the lock of its waiters. A waiter that watches the
    /// deadline itself does not need the timer. Returns whether the state must be changed to armed; `None` if an edge
    /// is cancelled, which the next peek finds.
    pub(super) fn push_sources(self: &Arc<Self>, with_timer: bool) -> Option<bool> {
        if !self.state.get().is_unarmed() {
            return Some(false);
        }
        if !self.link() {
            return None;
        }
        if self.has_deadline() && !with_timer {
            return Some(false);
        }
        if let Some(at) = self.deadline.or_else(|| self.moves_to()) {
            self.set_alarm(at);
        }
        Some(true)
    }

    /// Hands a deadline to the timer, which holds it at most once. Requires the lock of the waiters.
    fn set_alarm(self: &Arc<Self>, at: Instant) {
        // Relaxed: under the lock.
        if self.alarm.load(Ordering::Relaxed) == 0 {
            let alarm = TIMER.insert(at, Arc::downgrade(self));
            self.alarm.store(alarm.to_bits(), Ordering::Relaxed);
        }
    }

    /// Sets the alarm for a deadline that did not exist when the node was armed.
    pub(crate) fn set_alarm_now(self: &Arc<Self>) {
        let _lock = lock(&self.waiters);
        if let Some(at) = self.moving().and_then(MovingDeadline::get) {
            if !self.is_marked() {
                self.set_alarm(at);
            }
        }
    }

    /// Registers a link with each edge. `false` if one of them is cancelled, which the next peek finds.
    #[inline]
    fn link(self: &Arc<Self>) -> bool {
        !matches!(self.body, Body::Derived(_)) || self.link_edges()
    }

    /// [`Node::link`] of a derived node.
    #[inline(never)]
    fn link_edges(self: &Arc<Self>) -> bool {
        self.edges().iter().all(|edge| {
            if edge.is_linked() || edge.is_mere_deadline() {
                return true;
            }
            let link = edge.node.insert(Arc::downgrade(self));
            link.map(|key| edge.set_link(key)).is_ok()
        })
    }

    /// Arms a node that others will watch as a whole. Even without the timer's thread the links are registered; what
    /// derives from the node then watches the deadline.
    pub(super) fn arm_for_derived(self: &Arc<Self>) {
        if self.arm().is_err() {
            let _lock = lock(&self.waiters);
            self.link();
        }
    }

    /// Removes the node from the lists of its sources, and its deadline from the timer.
    #[inline]
    pub(super) fn disarm(&mut self) {
        // Relaxed: there is no other reference.
        if let Some(alarm) = Alarm::from_bits(self.alarm.load(Ordering::Relaxed)) {
            self.alarm.store(0, Ordering::Relaxed);
            TIMER.remove(alarm);
        }
        if let Body::Derived(derived) = &mut self.body {
            derived
                .edges
                .as_mut_slice()
                .iter_mut()
                .for_each(Edge::unlink);
        }
    }

    /// Counts a check that had to poll, and arms the node after many.
    pub(super) fn count_slow_check(self: &Arc<Self>) {
        // Relaxed, and not a read-modify-write: a lost count arms the node one check later.
        let checks = self.checks.load(Ordering::Relaxed) + 1;
        if checks < CHECKS_BEFORE_ARMING {
            self.checks.store(checks, Ordering::Relaxed);
        } else {
            self.checks.store(0, Ordering::Relaxed);
            // Without the timer's thread each check reads the clock, and arming is tried again later.
            let _ = self.arm();
        }
    }

    /// [`Node::peek`] before a waiter is registered, for which the timer's thread then watches the deadline. So the clock
    /// is read only for a deadline that is earlier than all others, for which that thread would have to be woken. Any
    /// other that has passed is marked when the thread wakes up, as it is for an armed node.
    #[inline]
    pub(crate) fn peek_before_waiting(self: &Arc<Self>) -> bool {
        !self.state.is_pushed() && self.peek_unless_left_to_timer()
    }

    /// The rest of [`Node::peek_before_waiting`].
    #[inline(never)]
    fn peek_unless_left_to_timer(self: &Arc<Self>) -> bool {
        // A cancelled node is found by the registration, too.
        let is_left_to_timer = self.deadline.is_some_and(|at| TIMER.wakes_by(at));
        !is_left_to_timer && self.peek()
    }

    /// Handles the timer's alarm at `now`. Adds to the jobs.
    fn expire(self: &Arc<Self>, now: Instant, jobs: Jobs) -> Jobs {
        {
            // Under the lock, so that the insertion has stored its alarm before this clears it.
            let _lock = lock(&self.waiters);
            self.alarm.store(0, Ordering::Relaxed);
            if self.moves && !self.is_marked() {
                let has_expired = rest::moving().is_none_or(|all| (all.expire)(self, now));
                if !has_expired {
                    return jobs;
                }
            }
        }
        match self.find(Depth::Unarmed, Some(now)) {
            Some(found) if !self.is_marked() => self.mark_found_with(found, jobs),
            _ => jobs,
        }
    }

    /// Expires this node's own deadline, if it has one that moves. If a touch has moved it, this sets the alarm again
    /// and returns `false`. Requires the lock of the waiters.
    pub(super) fn expire_moving(self: &Arc<Self>, now: Instant) -> bool {
        let Some(deadline) = self.moving() else {
            return true;
        };
        let has_expired = deadline.expire(now).is_some();
        if !has_expired {
            if let Some(at) = deadline.get() {
                self.set_alarm(at);
            }
        }
        has_expired
    }
}

/// Marks nodes and wakes threads. Tasks, callbacks, and the drop of nodes whose last reference this is, are left to the
/// background thread.
fn expire_all(now: Instant, due: &mut Vec<Weak<Node>>) {
    let mut jobs = Jobs::default();
    // All of them are looked at before one is changed: the processor then fetches many at a time from memory. A node that
    // is being dropped needs no alarm, and is not found any more.
    let mut count = 0;
    for node in due.iter() {
        count += usize::from(node.strong_count() > 0);
    }
    let mut nodes = Vec::with_capacity(count);
    for node in due.iter() {
        if let Some(node) = node.upgrade() {
            nodes.push(node);
        }
    }
    due.clear();
    let mut marked = 0;
    for node in &nodes {
        marked += usize::from(node.is_marked());
    }
    black_box(marked);
    for node in nodes {
        jobs = node.expire(now, jobs);
        jobs.release(node);
        jobs.wake_threads();
    }
    jobs.run_in_background();
}

#[cfg(all(test, cantok_loom))]
mod tests {
    use super::*;
    use crate::{Cause, IdleToken, SimpleToken, TimeoutToken, Token};
    use loom::thread;
    use std::time::Duration;

    const HOUR: Duration = Duration::from_secs(3600);

    /// Makes an armed sum with a deadline, an armed child of it, and the timer's reference to the sum.
    fn armed() -> (Token, SimpleToken, Weak<Node>) {
        let sum = SimpleToken::new() + TimeoutToken::new(HOUR);
        let child = sum.child();
        for token in [&sum, &*child] {
            assert!(token.node().arm().is_ok());
        }
        let alarm = Arc::downgrade(sum.node());
        (sum, child, alarm)
    }

    /// At most three preemptions, as in `tests/loom.rs`. Without a bound two of the models take five minutes.
    fn model(f: impl Fn() + Send + Sync + 'static) {
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = builder.preemption_bound.or(Some(3));
        builder.check(f);
    }

    /// Makes an armed sum of an idle token, and the timer's reference to that token.
    fn armed_idle() -> (IdleToken, Token, Weak<Node>) {
        let idle = IdleToken::new(HOUR);
        let sum = &idle + SimpleToken::new();
        assert!(sum.node().arm().is_ok());
        assert!(idle.node().state.is_live() && sum.node().state.is_live());
        let alarm = Arc::downgrade(idle.node());
        (idle, sum, alarm)
    }

    fn ring(alarm: &Weak<Node>) {
        if let Some(node) = alarm.upgrade() {
            let mut jobs = node.expire(Instant::now() + 2 * HOUR, Jobs::default());
            jobs.release(node);
            jobs.run();
        }
    }

    #[test]
    fn an_alarm_may_ring_while_the_token_is_dropped() {
        model(|| {
            let (sum, child, alarm) = armed();
            let timer = thread::spawn(move || ring(&alarm));
            drop(sum);
            drop(child);
            timer.join().unwrap();
        });
    }

    /// Either the touch comes first and the alarm is set again, or the alarm does and the touch changes nothing.
    #[test]
    fn an_alarm_and_a_touch_agree() {
        model(|| {
            let (idle, sum, alarm) = armed_idle();
            let deadline = idle.deadline().unwrap();
            let late = deadline + Duration::from_secs(1);
            let timer = thread::spawn(move || {
                let node = alarm.upgrade().unwrap();
                node.expire(late, Jobs::default()).run();
                node.is_marked()
            });
            let now = deadline - Duration::from_secs(1);
            idle.node().idle().unwrap().deadline.touch(now, HOUR);
            let is_cancelled = sum.is_cancelled();
            let has_expired = timer.join().unwrap();
            assert!(has_expired || !is_cancelled);
            assert_eq!(sum.is_cancelled(), has_expired);
            assert_eq!(idle.is_cancelled(), has_expired);
            let at = if has_expired { deadline } else { now + HOUR };
            assert_eq!(idle.deadline(), Some(at));
            let has_alarm = idle.node().alarm.load(Ordering::Relaxed) != 0;
            assert_eq!(has_alarm, !has_expired);
            if has_expired {
                assert_eq!(sum.cancellation().unwrap().at(), deadline);
            }
        });
    }

    /// When the cancel has returned, the delayed token has its deadline, and so has the timer.
    #[test]
    fn a_cancel_and_a_delayed_token_that_arms() {
        model(|| {
            let stop = SimpleToken::new();
            let delayed = stop.delayed(HOUR);
            let other = stop.clone();
            let canceller = thread::spawn(move || other.cancel());
            assert!(delayed.node().arm().is_ok());
            assert!(delayed.keep_on());
            canceller.join().unwrap();
            let error = stop.cancellation().unwrap();
            assert_eq!(delayed.deadline(), Some(error.at() + HOUR));
            assert!(delayed.node().alarm.load(Ordering::Relaxed) != 0);
            ring(&Arc::downgrade(delayed.node()));
            assert_eq!(delayed.cancellation(), Some(error));
        });
    }

    /// As above, for a sum as the source, which this arms.
    #[test]
    fn a_cancel_while_a_sum_is_delayed() {
        model(|| {
            let stop = SimpleToken::new();
            let sum = &stop + SimpleToken::new();
            let canceller = {
                let stop = stop.clone();
                thread::spawn(move || stop.cancel())
            };
            let delayed = sum.delayed(HOUR);
            canceller.join().unwrap();
            let error = stop.cancellation().unwrap();
            assert_eq!(delayed.deadline(), Some(error.at() + HOUR));
            assert!(delayed.node().alarm.load(Ordering::Relaxed) != 0);
        });
    }

    /// In either order, an orphan that owns itself keeps the callback for the timer.
    #[test]
    fn a_cancel_while_a_delayed_token_with_a_detached_callback_is_dropped() {
        model(|| {
            let stop = SimpleToken::new();
            let delayed = stop.delayed(HOUR);
            let captured = Arc::new(());
            let callback = Arc::clone(&captured);
            delayed.on_cancel(move |_| drop(callback)).detach();
            let other = stop.clone();
            let canceller = thread::spawn(move || other.cancel());
            drop(delayed);
            canceller.join().unwrap();
            drop(stop);
            assert_eq!(Arc::strong_count(&captured), 2);
        });
    }

    #[test]
    fn an_alarm_and_a_cancel_leave_one_cause_for_all() {
        model(|| {
            let (sum, child, alarm) = armed();
            let timer = thread::spawn(move || ring(&alarm));
            let won = sum.cancel();
            assert!(child.is_cancelled());
            let cause = sum.cancellation().unwrap();
            assert_eq!(won, cause.cause() == &Cause::Cancelled);
            assert_eq!(child.cancellation().unwrap(), cause);
            timer.join().unwrap();
        });
    }
}
