//! Who is to be told when a node is cancelled: one list for all of them, behind one lock that checks never take.

use super::{Demand, Node};
use crate::callback::Callback;
use crate::parker::Parker;
use crate::sync::{Arc, Weak, get_mut, lock};
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

/// What a scan of a cancelled node's subscribers found.
#[derive(Default)]
pub(super) struct Scan {
    pub(super) links: Vec<Arc<Node>>,
    pub(super) threads: Vec<Arc<Parker>>,
    pub(super) callbacks: Vec<Arc<Callback>>,
}

/// What a node that is being dropped leaves behind.
#[derive(Default)]
pub(super) struct Remains {
    pub(super) callbacks: Vec<Arc<Callback>>,
    /// The demand that those who were never told had added.
    pub(super) demand: Demand,
    pub(super) attached: Vec<Box<dyn Any + Send + Sync>>,
}

impl Subscribers {
    pub(super) fn new() -> Self {
        Subscribers {
            slots: Vec::new(),
            free: NONE,
            len: 0,
            attached: Vec::new(),
        }
    }

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
        if self.len == 0 {
            self.free = NONE;
            if self.slots.capacity() > 64 {
                self.slots = Vec::new();
            } else {
                self.slots.clear();
            }
        }
    }
}

impl Node {
    /// Inserts a subscriber, or gives it back if the node is cancelled (invariant 3).
    pub(crate) fn insert(&self, subscriber: Subscriber) -> Result<usize, Subscriber> {
        let mut subs = lock(&self.subs);
        if self.is_marked() {
            return Err(subscriber);
        }
        Ok(subs.insert(subscriber))
    }

    /// Removes a subscriber. `false`: it was told already.
    pub(crate) fn remove(&self, index: usize) -> bool {
        let removed = lock(&self.subs).remove(index);
        removed.is_some()
    }

    /// Keeps `guard` until this node, and so everything derived from it, is gone.
    pub(crate) fn attach(&self, guard: Box<dyn Any + Send + Sync>) {
        lock(&self.subs).attached.push(guard);
    }

    /// Whether nobody subscribed and nothing is attached.
    pub(super) fn is_bare(&self) -> bool {
        let subs = lock(&self.subs);
        subs.len == 0 && subs.attached.is_empty()
    }

    /// Collects the subscribers of a cancelled node: its links, which stay (invariant 4), and, if the caller is the
    /// one to `tell` them, everybody else, who is taken out.
    pub(super) fn scan(&self, tell: bool) -> Scan {
        let mut scan = Scan::default();
        let mut subs = lock(&self.subs);
        if subs.len == 0 {
            return scan;
        }
        for slot in &mut subs.slots {
            match slot {
                Slot::Taken(Subscriber::Link(node)) => scan.links.extend(node.upgrade()),
                Slot::Taken(_) if tell => match std::mem::replace(slot, Slot::Told) {
                    Slot::Taken(Subscriber::Thread(parker)) => scan.threads.push(parker),
                    Slot::Taken(Subscriber::Callback(callback)) => scan.callbacks.push(callback),
                    Slot::Taken(Subscriber::Link(_)) | Slot::Free(_) | Slot::Told => {}
                },
                Slot::Taken(_) | Slot::Free(_) | Slot::Told => {}
            }
        }
        subs.forget(scan.threads.len() + scan.callbacks.len());
        scan
    }

    /// Forgets the links of a settled node. The others stay: the thread that won the node may not have come for them
    /// yet, when one that helped it has settled it.
    pub(super) fn forget_links(&self) {
        let mut subs = lock(&self.subs);
        if subs.len == 0 {
            return;
        }
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
    pub(super) fn take_remains(&mut self) -> Remains {
        let subs = get_mut(&mut self.subs);
        let mut remains = Remains {
            attached: std::mem::take(&mut subs.attached),
            ..Remains::default()
        };
        for slot in std::mem::take(&mut subs.slots) {
            match slot {
                Slot::Taken(Subscriber::Thread(_)) => remains.demand.threads += 1,
                Slot::Taken(Subscriber::Callback(callback)) => {
                    remains.demand.callbacks += 1;
                    remains.callbacks.push(callback);
                }
                Slot::Taken(Subscriber::Link(_)) | Slot::Free(_) | Slot::Told => {}
            }
        }
        remains
    }
}
