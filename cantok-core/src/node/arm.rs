//! From polling to being told: a node subscribes to the flags it watches and hands its deadline to the timer.

use super::state::Phase;
use super::{Node, Subscriber};
use crate::sync::{Arc, OnceLock, Ordering};
use crate::timer;
use std::io;

/// A flag that a node watches.
pub(super) struct Flag {
    pub(super) node: Arc<Node>,
    /// Where the watching node stands in the flag's list of subscribers, once it has subscribed; or [`NOWHERE`].
    slot: OnceLock<u32>,
}

/// The flag was cancelled when the node came to subscribe.
const NOWHERE: u32 = u32::MAX;

impl Flag {
    pub(super) fn new(node: Arc<Node>) -> Self {
        Flag {
            node,
            slot: OnceLock::new(),
        }
    }

    /// Subscribes `watching` to the flag, once. Returns whether the flag will push.
    fn link(&self, watching: &Arc<Node>) -> bool {
        let slot = self.slot.get_or_init(|| {
            let link = Subscriber::Link(Arc::downgrade(watching));
            match self.node.insert(link) {
                // Four billion slots take up 100 GB, without what is in them.
                Ok(index) => u32::try_from(index).expect("fewer subscribers than 2^32"),
                Err(_) => NOWHERE,
            }
        });
        *slot != NOWHERE
    }

    fn unlink(&mut self) {
        match self.slot.take() {
            None | Some(NOWHERE) => {}
            // Invariant 4: the link is gone.
            Some(_) if self.node.is_settled() => {}
            Some(slot) => {
                self.node.remove(slot as usize);
            }
        }
    }
}

/// A node that was checked this often while it had to poll its flags and deadline arms itself. Renting (a clock read
/// of about 30 ns) has then cost what buying costs.
const CHECKS_BEFORE_ARMING: u8 = 64;

impl Node {
    /// Subscribes to every flag, once. Returns whether all of them will push; if not, one is cancelled already, the
    /// next look finds it, and there is no need to subscribe to the others.
    pub(crate) fn link(self: &Arc<Self>) -> bool {
        let flags = self.sources.flags.as_slice();
        flags.iter().all(|flag| flag.link(self))
    }

    /// Takes the node out of its flags' lists and its deadline from the timer.
    pub(super) fn unlink(&mut self) {
        self.sources
            .flags
            .as_mut_slice()
            .iter_mut()
            .for_each(Flag::unlink);
        if let Some(extra) = &mut self.sources.extra {
            if let Some(alarm) = extra.alarm.take() {
                timer::remove(alarm);
            }
        }
    }

    /// Arranges that the node is told of everything that can be pushed (invariant 2).
    ///
    /// # Errors
    ///
    /// When the timer's thread cannot be started. The node stays unarmed and works by polling.
    pub(crate) fn arm(self: &Arc<Self>) -> io::Result<()> {
        // Two threads may come here at the same time: each registration is made once all the same.
        if self.state.phase() != Phase::Unarmed || !self.link() {
            return Ok(());
        }
        if let Some(extra) = &self.sources.extra {
            if let (Some(at), None) = (extra.earliest, extra.alarm.get()) {
                let alarm = timer::schedule(self.as_ring(), at)?;
                if let Err(second) = extra.alarm.set(alarm) {
                    timer::remove(second);
                }
            }
        }
        self.state.arm();
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
