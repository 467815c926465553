//! From polling to being told: a node subscribes to the flags it watches and hands its deadline to the timer.

use super::{ARMED, LIVE, Node, Subscriber, UNARMED};
use crate::sync::{Arc, Ordering};
use crate::timer;
use std::io;

/// Where a node stands in the subscribers' lists of its flags, in the order of its flags.
pub(super) struct Links {
    /// `None`: that flag was cancelled when the node came to subscribe.
    slots: Box<[Option<usize>]>,
    complete: bool,
}

/// A node that was checked this often while it had to poll its flags and deadline arms itself. Renting (a clock read
/// of about 30 ns) has then cost what buying costs.
const CHECKS_BEFORE_ARMING: u8 = 64;

impl Node {
    /// Subscribes to every flag, once. Returns whether all of them will push; if not, one is cancelled already and
    /// the next look finds it.
    pub(crate) fn link(self: &Arc<Self>) -> bool {
        let flags = self.sources.flags.as_slice();
        if flags.is_empty() {
            return true;
        }
        let links = self.links.get_or_init(|| {
            let slots: Box<[_]> = flags
                .iter()
                .map(|flag| {
                    let link = Subscriber::Link(Arc::downgrade(self));
                    flag.insert(link).ok()
                })
                .collect();
            let complete = slots.iter().all(Option::is_some);
            Box::new(Links { slots, complete })
        });
        links.complete
    }

    /// Takes the node out of its flags' lists and its deadline from the timer.
    pub(super) fn unlink(&mut self) {
        if let Some(links) = self.links.take() {
            for (flag, slot) in self.sources.flags.as_slice().iter().zip(&links.slots) {
                if let Some(index) = slot {
                    flag.remove(*index);
                }
            }
        }
        if let Some(alarm) = self.alarm.take() {
            timer::remove(&alarm);
        }
    }

    /// Arranges that the node is told of everything that can be pushed (invariant 2).
    ///
    /// # Errors
    ///
    /// When the timer's thread cannot be started. The node stays unarmed and works by polling.
    pub(crate) fn arm(self: &Arc<Self>) -> io::Result<()> {
        // Relaxed: an old answer registers once more what is registered at most once, and the compare-exchange fails.
        // Another thread that armed the node has made its registrations under locks, which order them with whoever
        // cancels a source.
        if self.state.load(Ordering::Relaxed) != UNARMED || !self.link() {
            return Ok(());
        }
        if let Some(at) = self.sources.earliest() {
            if self.alarm.get().is_none() {
                let alarm = timer::schedule(self.as_ring(), at)?;
                if let Err(second) = self.alarm.set(Box::new(alarm)) {
                    timer::remove(&second);
                }
            }
        }
        let armed = if self.sources.has_polled() {
            ARMED
        } else {
            LIVE
        };
        // Relaxed: a check that sees the new state skips polling because of registrations that are in lists by now;
        // whoever cancels a source finds them there under the lists' locks, and marks this node. Fails when the node
        // was cancelled meanwhile, which must stand.
        let _ = self
            .state
            .compare_exchange(UNARMED, armed, Ordering::Relaxed, Ordering::Relaxed);
        Ok(())
    }

    /// Counts a check that had to poll, and arms the node when there were many.
    pub(super) fn count_slow_check(self: &Arc<Self>) {
        // Relaxed, and not a read-modify-write: a lost count arms a check later.
        let checks = self.checks.load(Ordering::Relaxed) + 1;
        if checks < CHECKS_BEFORE_ARMING {
            self.checks.store(checks, Ordering::Relaxed);
        } else {
            self.checks.store(0, Ordering::Relaxed);
            // Without a timer thread the clock is read at every check, and arming is tried again in a while.
            let _ = self.arm();
        }
    }
}
