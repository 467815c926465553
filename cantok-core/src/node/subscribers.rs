//! Who is to be told when a node is cancelled: one list for all of them, behind one lock that checks never take.

use super::mark::Jobs;
use super::{Demand, Node};
use crate::callback::Callback;
use crate::parker::Parker;
use crate::sync::{Arc, Mutex, Weak, get_mut, lock};
use std::any::Any;

/// Something that is told once.
pub(crate) enum Subscriber {
    /// A node that watches this one and is cancelled with it.
    Link(Weak<Node>),
    /// A thread in `wait`.
    Thread(Arc<Parker>),
    /// A callback of `on_cancel` or `subscribe`.
    Callback(Arc<Callback>),
}

enum Slot {
    /// Holds the index of the next free slot, or [`NONE`].
    Free(usize),
    Taken(Subscriber),
    /// Its subscriber was told. Not used again: nothing is inserted after a cancel.
    Told,
}

const NONE: usize = usize::MAX;

/// A slab: insertion and removal cost the same from one subscriber to a million.
pub(super) struct Subscribers {
    slots: Vec<Slot>,
    free: usize,
    /// How many slots are taken.
    len: usize,
    /// What lives as long as the node, see `Token::attach`.
    attached: Vec<Box<dyn Any + Send + Sync>>,
}

/// What a node that is being dropped leaves behind.
#[derive(Default)]
pub(super) struct Untold {
    pub(super) callbacks: Vec<Arc<Callback>>,
    /// The demand that those who were never told had added.
    pub(super) demand: Demand,
    pub(super) attached: Vec<Box<dyn Any + Send + Sync>>,
}

impl Default for Subscribers {
    fn default() -> Self {
        Subscribers {
            slots: Vec::new(),
            free: NONE,
            len: 0,
            attached: Vec::new(),
        }
    }
}

impl Subscribers {
    fn insert(&mut self, subscriber: Subscriber) -> usize {
        self.len += 1;
        let taken = Slot::Taken(subscriber);
        match self.slots.get_mut(self.free) {
            Some(slot) => {
                let index = self.free;
                if let Slot::Free(next) = std::mem::replace(slot, taken) {
                    self.free = next;
                }
                index
            }
            None => {
                self.slots.push(taken);
                self.slots.len() - 1
            }
        }
    }

    fn remove(&mut self, index: usize) -> Option<Subscriber> {
        let slot = self
            .slots
            .get_mut(index)
            .filter(|slot| matches!(slot, Slot::Taken(_)))?;
        let removed = std::mem::replace(slot, Slot::Free(self.free));
        self.free = index;
        self.forget(1);
        match removed {
            Slot::Taken(subscriber) => Some(subscriber),
            Slot::Free(_) | Slot::Told => None,
        }
    }

    /// Counts slots out. With the last one the slab starts anew, so that a burst leaves no memory behind. An index
    /// that was told and is removed later is out of range then, or free, and is left alone.
    fn forget(&mut self, slots: usize) {
        self.len -= slots;
        if self.len == 0 && !self.slots.is_empty() {
            self.free = NONE;
            if self.slots.capacity() > 64 {
                self.slots = Vec::new();
            } else {
                self.slots.clear();
            }
        }
    }
}

/// Where a node keeps them. Boxed, because most nodes never have any, and a canceller that passes many nodes by pays
/// for every cache line.
pub(super) type Place = Mutex<Option<Box<Subscribers>>>;

/// So many links are followed before the lock is let go, so that each node is still in the cache when its turn comes.
const BATCH: usize = 64;

impl Node {
    /// Inserts a subscriber, or gives it back if the node is cancelled (invariant 3).
    pub(crate) fn insert(&self, subscriber: Subscriber) -> Result<usize, Subscriber> {
        let mut subs = lock(&self.subs);
        if self.is_marked() {
            return Err(subscriber);
        }
        Ok(subs.get_or_insert_default().insert(subscriber))
    }

    /// Removes a subscriber. `false`: it was told already.
    pub(crate) fn remove(&self, index: usize) -> bool {
        let removed = match &mut *lock(&self.subs) {
            Some(subs) => subs.remove(index),
            None => None,
        };
        removed.is_some()
    }

    /// Keeps `guard` until this node, and so everything derived from it, is gone.
    pub(crate) fn attach(&self, guard: Box<dyn Any + Send + Sync>) {
        let mut subs = lock(&self.subs);
        subs.get_or_insert_default().attached.push(guard);
    }

    /// Whether nobody subscribed and nothing is attached.
    pub(super) fn is_bare(&self) -> bool {
        match &*lock(&self.subs) {
            Some(subs) => subs.len == 0 && subs.attached.is_empty(),
            None => true,
        }
    }

    /// Takes everybody out who is to be told of the cancel of this node, and tells whether there are links, which
    /// stay (invariant 4). A canceller that only helps leaves everybody to the one that won the node.
    pub(super) fn take_told(&self, won: bool, jobs: &mut Jobs) -> bool {
        let mut place = lock(&self.subs);
        let Some(subs) = place.as_deref_mut() else {
            return false;
        };
        let mut demand = Demand::default();
        let mut has_links = false;
        for slot in &mut subs.slots {
            match slot {
                Slot::Taken(Subscriber::Link(_)) => has_links = true,
                Slot::Taken(_) if won => match std::mem::replace(slot, Slot::Told) {
                    Slot::Taken(Subscriber::Thread(parker)) => {
                        demand.threads += 1;
                        jobs.wake(parker);
                    }
                    Slot::Taken(Subscriber::Callback(callback)) => {
                        demand.callbacks += 1;
                        jobs.call(callback, self);
                    }
                    Slot::Taken(Subscriber::Link(_)) | Slot::Free(_) | Slot::Told => {}
                },
                Slot::Taken(_) | Slot::Free(_) | Slot::Told => {}
            }
        }
        subs.forget(demand.threads + demand.callbacks);
        drop(place);
        demand.release(&self.sources);
        has_links
    }

    /// Follows some of the links of a cancelled node, from that slot on. `false`: there are no more.
    pub(super) fn follow_links(&self, from: &mut usize, nodes: &mut Vec<Arc<Node>>) -> bool {
        let subs = lock(&self.subs);
        let Some(rest) = subs.as_ref().and_then(|subs| subs.slots.get(*from..)) else {
            return false;
        };
        for slot in rest {
            if nodes.len() == BATCH {
                return true;
            }
            *from += 1;
            if let Slot::Taken(Subscriber::Link(node)) = slot {
                nodes.extend(node.upgrade());
            }
        }
        false
    }

    /// Forgets the links of a settled node. The others stay: the thread that won the node may not have come for them
    /// yet, when one that helped it has settled it.
    pub(super) fn forget_links(&self) {
        let mut subs = lock(&self.subs);
        let Some(subs) = subs.as_deref_mut() else {
            return;
        };
        let mut links = 0;
        for slot in &mut subs.slots {
            if matches!(slot, Slot::Taken(Subscriber::Link(_))) {
                // A weak reference is dropped under the lock here; that runs no destructor of the node.
                *slot = Slot::Told;
                links += 1;
            }
        }
        subs.forget(links);
    }

    /// Takes out what is left in a node that is being dropped.
    pub(super) fn take_subscribers(&mut self) -> Option<Untold> {
        let subs = get_mut(&mut self.subs).take()?;
        let mut untold = Untold {
            attached: subs.attached,
            ..Untold::default()
        };
        for slot in subs.slots {
            match slot {
                Slot::Taken(Subscriber::Thread(_)) => untold.demand.threads += 1,
                Slot::Taken(Subscriber::Callback(callback)) => {
                    untold.demand.callbacks += 1;
                    untold.callbacks.push(callback);
                }
                Slot::Taken(Subscriber::Link(_)) | Slot::Free(_) | Slot::Told => {}
            }
        }
        Some(untold)
    }
}
