//! What a node watches, flattened at composition so that a check walks short lists instead of a tree.

use super::addresses::{Addresses, address};
use super::few::Few;
use super::link::Flag;
use super::{Kind, Node};
use crate::leaves::{Condition, Counter, Deadline};
use crate::sync::{Arc, OnceLock};
use crate::timer::Alarm;
use std::slice;
use std::time::Instant;

/// Longer lists of an operand are not copied into what derives from it: the operand is linked to its flags and watched
/// alone, its leaves are reached through it. Lists stay short however deep the nesting. (That lists which are not longer
/// are copied is what `Traversal::follow` relies on.)
pub(crate) const LIMIT: usize = 16;

/// A leaf that a node watches, with the node it belongs to.
pub(crate) struct Watched<T> {
    pub(crate) leaf: Arc<T>,
    /// `None`: the node that holds this entry. A leaf belongs to the node of its typed token, or to the sum that
    /// absorbed it, and that node is cancelled with it.
    pub(crate) owner: Option<Arc<Node>>,
}

/// One entry in a node's list of leaves.
pub(crate) enum Entry<T> {
    Leaf(Watched<T>),
    /// All of that node's leaves.
    Through(Arc<Node>),
}

impl<T> Entry<T> {
    /// What makes two entries the same. A node that is reached through is told from its flag by the lowest bit,
    /// which no node's address has.
    pub(super) fn address(&self) -> usize {
        match self {
            Entry::Leaf(watched) => address(&watched.leaf),
            Entry::Through(node) => address(node) | 1,
        }
    }
}

impl Entry<Condition> {
    /// Whether the executor is asking this condition on behalf of the node that holds this entry.
    pub(super) fn is_being_asked(&self) -> bool {
        match self {
            Entry::Leaf(watched) => watched.owner.is_none() && watched.leaf.is_being_asked(),
            Entry::Through(_) => false,
        }
    }
}

/// Deadlines, which are pushed to whoever asks often, and everything that is needed to show the operands in their
/// order. Boxed in a node, because children and plain tokens have none of it.
#[derive(Default)]
pub(crate) struct Extra {
    /// The earliest deadline, those reached through other nodes included.
    pub(crate) earliest: Option<Instant>,
    pub(super) deadlines: Few<Entry<Deadline>>,
    /// What the timer has of this node, once it is armed.
    pub(super) alarm: OnceLock<Alarm>,
    /// What was summed, in order; for `Debug` alone.
    pub(super) operands: Vec<Operand>,
}

/// An operand as `Debug` shows it.
pub(crate) enum Operand {
    Node(Arc<Node>),
    /// An absorbed `SimpleToken` with a name; without one it leaves no trace.
    Simple(Arc<str>),
    Deadline(Arc<Deadline>),
    Condition(Arc<Condition>),
    Counter(Arc<Counter>),
}

/// A class of leaves: where its list is.
pub(crate) trait Leaf: Sized + 'static {
    fn entries(sources: &Sources) -> &[Entry<Self>];
    fn push(sources: &mut Sources, entry: Entry<Self>);
    /// The name of the typed token that was absorbed with this leaf. Otherwise the owner's name counts.
    fn name(&self) -> &OnceLock<Arc<str>>;
}

impl Leaf for Deadline {
    fn entries(sources: &Sources) -> &[Entry<Self>] {
        match &sources.extra {
            Some(extra) => extra.deadlines.as_slice(),
            None => &[],
        }
    }
    fn push(sources: &mut Sources, entry: Entry<Self>) {
        sources.extra_mut().deadlines.push(entry);
    }
    fn name(&self) -> &OnceLock<Arc<str>> {
        &self.name
    }
}

impl Leaf for Condition {
    #[inline]
    fn entries(sources: &Sources) -> &[Entry<Self>] {
        sources.conditions.as_slice()
    }
    fn push(sources: &mut Sources, entry: Entry<Self>) {
        sources.conditions.push(entry);
    }
    fn name(&self) -> &OnceLock<Arc<str>> {
        &self.name
    }
}

impl Leaf for Counter {
    #[inline]
    fn entries(sources: &Sources) -> &[Entry<Self>] {
        sources.counters.as_slice()
    }
    fn push(sources: &mut Sources, entry: Entry<Self>) {
        sources.counters.push(entry);
    }
    fn name(&self) -> &OnceLock<Arc<str>> {
        &self.name
    }
}

/// What a node watches. Conditions and counters stand in the node itself, because armed nodes still ask them at every
/// check, and each pointer on the way costs.
#[derive(Default)]
pub(crate) struct Sources {
    /// The nodes whose flags are watched. One is by far the most common number (a child, a request's timeout).
    pub(super) flags: Few<Flag>,
    pub(super) conditions: Few<Entry<Condition>>,
    pub(super) counters: Few<Entry<Counter>>,
    pub(super) extra: Option<Box<Extra>>,
}

impl Sources {
    /// The sources of a typed token: one leaf of its own.
    pub(crate) fn leaf<T: Leaf>(leaf: T) -> Self {
        let mut sources = Sources::default();
        let entry = Entry::Leaf(Watched {
            leaf: Arc::new(leaf),
            owner: None,
        });
        T::push(&mut sources, entry);
        sources
    }

    pub(crate) fn extra_mut(&mut self) -> &mut Extra {
        self.extra.get_or_insert_default()
    }

    pub(crate) fn earliest(&self) -> Option<Instant> {
        self.extra.as_ref().and_then(|extra| extra.earliest)
    }

    /// Whether there is a counter that a check of a node of that kind looks at and does not spend: a `direct_only` one,
    /// which only its own token spends.
    pub(super) fn has_counter_spared_by(&self, kind: Kind) -> bool {
        let mut counters = self.counters.as_slice().iter();
        kind != Kind::Counter
            && counters.any(|entry| match entry {
                Entry::Leaf(watched) => watched.leaf.is_direct_only(),
                Entry::Through(_) => false,
            })
    }

    /// Whether there are sources that cannot be pushed.
    pub(crate) fn has_polled(&self) -> bool {
        self.has_conditions() || !self.counters.is_empty()
    }

    pub(crate) fn has_conditions(&self) -> bool {
        !self.conditions.is_empty()
    }

    /// The leaf of a typed token's own node.
    pub(crate) fn own_leaf<T: Leaf>(&self) -> Option<&Arc<T>> {
        match T::entries(self).first() {
            Some(Entry::Leaf(watched)) => Some(&watched.leaf),
            _ => None,
        }
    }
}

/// A leaf found by [`Leaves`] or [`first_of`].
pub(crate) struct Found<'a, T> {
    watched: &'a Watched<T>,
    /// Whose list it stands in, if not the asked node's.
    holder: Option<&'a Arc<Node>>,
}

impl<'a, T> Found<'a, T> {
    /// An entry of the asked node's own list.
    pub(crate) fn own(watched: &'a Watched<T>) -> Self {
        Found {
            watched,
            holder: None,
        }
    }

    pub(crate) fn leaf(self) -> &'a Arc<T> {
        &self.watched.leaf
    }

    /// The node that the leaf belongs to. `None`: the asked one.
    pub(crate) fn owner(self) -> Option<&'a Arc<Node>> {
        self.watched.owner.as_ref().or(self.holder)
    }

    pub(crate) fn name(self) -> Option<&'a Arc<str>>
    where
        T: Leaf,
    {
        self.watched.leaf.name().get()
    }
}

impl<T> Clone for Found<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Found<'_, T> {}

/// The first answer that `ask` gives to the leaves of one class, each once, in operand order. A plain loop over the
/// lists that almost all nodes have; checks go through here.
#[inline]
pub(crate) fn first_of<'a, T: Leaf, R>(
    sources: &'a Sources,
    mut ask: impl FnMut(Found<'a, T>) -> Option<R>,
) -> Option<R> {
    for (index, entry) in T::entries(sources).iter().enumerate() {
        match entry {
            Entry::Leaf(watched) => {
                if let Some(answer) = ask(Found::own(watched)) {
                    return Some(answer);
                }
            }
            Entry::Through(_) => return first_of_deep(sources, index, ask),
        }
    }
    None
}

#[cold]
fn first_of_deep<'a, T: Leaf, R>(
    sources: &'a Sources,
    skip: usize,
    ask: impl FnMut(Found<'a, T>) -> Option<R>,
) -> Option<R> {
    Leaves::of(sources).skip(skip).find_map(ask)
}

/// All leaves of one class that a node watches, each once, in operand order. Iterative, because nodes may be reached
/// through nodes to any depth.
pub(crate) struct Leaves<'a, T> {
    sources: &'a Sources,
    current: Place<'a, T>,
    /// Kept from the first `Through` on: a flat list, as almost all are, has no repetitions.
    deep: Option<Box<Deep<'a, T>>>,
}

/// A list that is being read.
struct Place<'a, T> {
    rest: slice::Iter<'a, Entry<T>>,
    /// Whose list it is, if not the asked node's.
    holder: Option<&'a Arc<Node>>,
}

struct Deep<'a, T> {
    /// Where to go on when the current list has ended.
    outer: Vec<Place<'a, T>>,
    /// Leaves and nodes met so far.
    seen: Addresses,
}

impl<'a, T: Leaf> Leaves<'a, T> {
    pub(crate) fn of(sources: &'a Sources) -> Self {
        Leaves {
            sources,
            current: Place {
                rest: T::entries(sources).iter(),
                holder: None,
            },
            deep: None,
        }
    }

    /// Goes on with the leaves of a node that is reached through; with those of the current list afterwards.
    #[cold]
    fn descend(&mut self, entry: &Entry<T>, node: &'a Arc<Node>) {
        let deep = self.deep.get_or_insert_with(|| {
            // What the asked node's own list holds before this entry.
            let all = T::entries(self.sources);
            let before = &all[..all.len() - self.current.rest.len() - 1];
            let mut seen = Addresses::default();
            seen.extend(before.iter().map(Entry::address));
            Box::new(Deep {
                outer: Vec::new(),
                seen,
            })
        });
        if deep.seen.insert(entry.address()) {
            let inner = Place {
                rest: T::entries(&node.sources).iter(),
                holder: Some(node),
            };
            deep.outer.push(std::mem::replace(&mut self.current, inner));
        }
    }
}

impl<'a, T: Leaf> Iterator for Leaves<'a, T> {
    type Item = Found<'a, T>;

    fn next(&mut self) -> Option<Found<'a, T>> {
        loop {
            let Place { rest, holder } = &mut self.current;
            match rest.next() {
                Some(entry @ Entry::Leaf(watched)) => {
                    if let Some(deep) = &mut self.deep {
                        if !deep.seen.insert(entry.address()) {
                            continue;
                        }
                    }
                    let holder = *holder;
                    return Some(Found { watched, holder });
                }
                Some(entry @ Entry::Through(node)) => self.descend(entry, node),
                None => self.current = self.deep.as_mut()?.outer.pop()?,
            }
        }
    }
}
