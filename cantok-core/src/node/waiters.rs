//! Who is to be told when a node is cancelled: one list for all of them, behind one lock that checks never take.

use super::mark::Jobs;
use super::{Demand, Node};
use crate::CancellationError;
use crate::callback::Call;
use crate::parker::Parker;
use crate::sync::{Arc, Weak, get_mut, lock};
use std::any::Any;
use std::task::Waker;

/// Something that is told once.
pub(crate) enum Subscriber {
    /// A node that watches this one and is cancelled with it.
    Link(Weak<Node>),
    /// A thread in `wait`.
    Thread(Arc<Parker>),
    /// A task.
    Waker(Waker),
    /// A call that has made its check.
    Checked(Waker),
    /// A callback of `on_cancel` or `subscribe`.
    Callback(Arc<dyn Call>),
}

impl Subscriber {
    /// What it adds to the demand for a node's conditions and counters.
    pub(crate) fn demand(&self) -> Demand {
        match self {
            Subscriber::Link(_) => Demand::default(),
            Subscriber::Thread(_) => Demand::THREAD,
            Subscriber::Waker(_) | Subscriber::Callback(_) => Demand::UNATTENDED,
            Subscriber::Checked(_) => Demand::CHECKED,
        }
    }

    fn link(&self) -> Option<&Weak<Node>> {
        match self {
            Subscriber::Link(node) => Some(node),
            Subscriber::Thread(_)
            | Subscriber::Waker(_)
            | Subscriber::Checked(_)
            | Subscriber::Callback(_) => None,
        }
    }
}

enum Slot {
    /// Holds the index of the next free slot, or [`NONE`].
    Free(usize),
    Taken(Subscriber),
    /// Its subscriber was told. Not used again: nothing is inserted after a cancel.
    Told,
}

const NONE: usize = usize::MAX;

impl Slot {
    fn link(&self) -> Option<&Weak<Node>> {
        match self {
            Slot::Taken(subscriber) => subscriber.link(),
            Slot::Free(_) | Slot::Told => None,
        }
    }
}

/// A slab: insertion and removal cost the same from one subscriber to a million.
pub(super) struct Slab {
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
    /// The demand that those who were never told had added.
    pub(super) demand: Demand,
    /// What belongs to users.
    pub(super) users: Vec<Box<dyn Any>>,
}

impl Default for Slab {
    fn default() -> Self {
        Slab {
            slots: Vec::new(),
            free: NONE,
            len: 0,
            attached: Vec::new(),
        }
    }
}

impl Slab {
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

    /// See [`Subscribers::remove_link`].
    fn remove_link(&mut self, index: usize) -> bool {
        let Some(slot) = self.slots.get_mut(index) else {
            return false;
        };
        if slot.link().is_some() {
            *slot = Slot::Told;
            self.forget(1);
        }
        true
    }

    /// See [`Subscribers::take_told`].
    fn take_told(&mut self, error: &CancellationError, jobs: &mut Jobs) -> (Demand, bool) {
        let mut demand = Demand::default();
        let mut has_links = false;
        let mut told = 0;
        for slot in &mut self.slots {
            match slot {
                Slot::Free(_) | Slot::Told => {}
                Slot::Taken(Subscriber::Link(_)) => has_links = true,
                Slot::Taken(_) => {
                    if let Slot::Taken(subscriber) = std::mem::replace(slot, Slot::Told) {
                        demand += jobs.tell(subscriber, error);
                        told += 1;
                    }
                }
            }
        }
        self.forget(told);
        (demand, has_links)
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

/// All subscribers of a node. Small for the two numbers that are by far the most common: most nodes never have any, most
/// of the others one; and a canceller that passes many nodes by pays for every cache line.
#[derive(Default)]
pub(super) enum Subscribers {
    #[default]
    None,
    /// At index 0.
    One(Subscriber),
    Many(Box<Slab>),
}

impl Subscribers {
    fn insert(&mut self, subscriber: Subscriber) -> usize {
        match self {
            Subscribers::None => {
                *self = Subscribers::One(subscriber);
                0
            }
            Subscribers::One(_) => self.with_slab(|slab| slab.insert(subscriber)),
            Subscribers::Many(slab) => slab.insert(subscriber),
        }
    }

    fn with_slab<R>(&mut self, f: impl FnOnce(&mut Slab) -> R) -> R {
        let mut slab = match std::mem::take(self) {
            Subscribers::None => Box::default(),
            Subscribers::One(first) => {
                let mut slab = Box::<Slab>::default();
                slab.insert(first);
                slab
            }
            Subscribers::Many(slab) => slab,
        };
        let result = f(&mut slab);
        *self = Subscribers::Many(slab);
        result
    }

    fn remove(&mut self, index: usize) -> Option<Subscriber> {
        match self {
            // An index that was told and is removed later finds nothing: nobody is inserted after a cancel.
            Subscribers::One(_) if index == 0 => match std::mem::take(self) {
                Subscribers::One(only) => Some(only),
                Subscribers::None | Subscribers::Many(_) => None,
            },
            Subscribers::None | Subscribers::One(_) => None,
            Subscribers::Many(slab) => slab.remove(index),
        }
    }

    /// Removes what is in that slot if it is a link. `false`: there is no such slot, and none behind it.
    fn remove_link(&mut self, index: usize) -> bool {
        match self {
            Subscribers::One(only) if index == 0 => {
                if only.link().is_some() {
                    *self = Subscribers::None;
                }
                true
            }
            Subscribers::None | Subscribers::One(_) => false,
            Subscribers::Many(slab) => slab.remove_link(index),
        }
    }

    fn is_empty(&self) -> bool {
        match self {
            Subscribers::None => true,
            Subscribers::One(_) => false,
            Subscribers::Many(slab) => slab.len == 0 && slab.attached.is_empty(),
        }
    }

    /// Takes everybody out but links. Tells what demand they had added, and whether there are links.
    #[inline]
    fn take_told(&mut self, error: &CancellationError, jobs: &mut Jobs) -> (Demand, bool) {
        match self {
            Subscribers::None => (Demand::default(), false),
            Subscribers::One(Subscriber::Link(_)) => (Demand::default(), true),
            Subscribers::One(Subscriber::Waker(waker)) => {
                // Not the whole: its parts are read right after, and are not yet where they were copied to.
                jobs.push_waker(std::mem::replace(waker, Waker::noop().clone()));
                *self = Subscribers::None;
                (Demand::UNATTENDED, false)
            }
            Subscribers::One(_) => match std::mem::take(self) {
                Subscribers::One(only) => (jobs.tell(only, error), false),
                Subscribers::None | Subscribers::Many(_) => (Demand::default(), false),
            },
            Subscribers::Many(slab) => slab.take_told(error, jobs),
        }
    }

    fn has_links(&self) -> bool {
        match self {
            Subscribers::None => false,
            Subscribers::One(only) => matches!(only, Subscriber::Link(_)),
            Subscribers::Many(slab) => slab.slots.iter().any(|slot| slot.link().is_some()),
        }
    }
}

/// So many links are followed before the lock is let go, so that each node is still in the cache when its turn comes.
const BATCH: usize = 64;

impl Node {
    /// Inserts a subscriber, or gives it back if the node is cancelled (invariant 3).
    pub(crate) fn insert(&self, subscriber: Subscriber) -> Result<usize, Subscriber> {
        let mut subs = lock(&self.subs);
        if self.state.announce() {
            Ok(subs.insert(subscriber))
        } else {
            Err(subscriber)
        }
    }

    /// Removes a subscriber. `None`: it was told already.
    pub(crate) fn remove(&self, index: usize) -> Option<Subscriber> {
        lock(&self.subs).remove(index)
    }

    /// Keeps `guard` until this node, and so everything derived from it, is gone.
    pub(crate) fn attach(&self, guard: Box<dyn Any + Send + Sync>) {
        let mut subs = lock(&self.subs);
        // Which says that there is something under the lock. No canceller takes it, so it never comes too late.
        self.state.announce();
        subs.with_slab(|slab| slab.attached.push(guard));
    }

    /// Whether nobody is subscribed and nothing is attached. To a node that nobody ever subscribed to, the answer
    /// takes no lock.
    pub(super) fn is_bare(&self) -> bool {
        !self.state.is_subscribed() || lock(&self.subs).is_empty()
    }

    /// Takes everybody out who is to be told of the cancel of this node, and tells whether there are links, which
    /// stay (invariant 4).
    pub(super) fn take_told(&self, error: &CancellationError, jobs: &mut Jobs) -> bool {
        let mut subs = lock(&self.subs);
        let (demand, has_links) = subs.take_told(error, jobs);
        // Under the lock, so that a counter is free of the demand of those who do not find themselves here any more.
        demand.release_counters(self);
        drop(subs);
        demand.release_conditions(self);
        has_links
    }

    /// Whether nodes are linked to this one.
    pub(super) fn has_links(&self) -> bool {
        lock(&self.subs).has_links()
    }

    /// Follows some of the links of a cancelled node, from that slot on. `false`: there are no more.
    pub(super) fn next_links(&self, from: &mut usize, nodes: &mut Vec<(usize, Arc<Node>)>) -> bool {
        let subs = lock(&self.subs);
        let slab = match &*subs {
            Subscribers::None => return false,
            Subscribers::One(only) => {
                nodes.extend(only.link().and_then(Weak::upgrade).map(|node| (0, node)));
                return false;
            }
            Subscribers::Many(slab) => slab,
        };
        let rest = slab.slots.get(*from..).unwrap_or_default();
        let batch = &rest[..rest.len().min(BATCH)];
        for (index, slot) in (*from..).zip(batch) {
            nodes.extend(
                slot.link()
                    .and_then(Weak::upgrade)
                    .map(|node| (index, node)),
            );
        }
        *from += batch.len();
        batch.len() < rest.len()
    }

    /// Removes links of a cancelled node, by their slots (invariant 4).
    pub(super) fn remove_links(&self, slots: impl Iterator<Item = usize>) {
        // Dropping a link drops no node.
        let mut subs = lock(&self.subs);
        for slot in slots {
            if !subs.remove_link(slot) {
                break;
            }
        }
    }

    /// Takes out what is left in a node that is being dropped.
    pub(super) fn take_subscribers(&mut self) -> Option<Untold> {
        let mut untold = Untold::default();
        match std::mem::take(get_mut(&mut self.subs)) {
            Subscribers::None => return None,
            Subscribers::One(only) => untold.push(only),
            Subscribers::Many(slab) => {
                for slot in slab.slots {
                    if let Slot::Taken(subscriber) = slot {
                        untold.push(subscriber);
                    }
                }
                for attached in slab.attached {
                    untold.users.push(attached);
                }
            }
        }
        Some(untold)
    }
}

impl Untold {
    fn push(&mut self, subscriber: Subscriber) {
        self.demand += subscriber.demand();
        match subscriber {
            Subscriber::Link(_) | Subscriber::Thread(_) => {}
            Subscriber::Waker(waker) | Subscriber::Checked(waker) => {
                self.users.push(Box::new(waker));
            }
            Subscriber::Callback(callback) => self.users.push(Box::new(callback)),
        }
    }
}
