//! What a node watches, flattened at composition so that a check walks short lists instead of a tree.

use super::Node;
use super::addresses::{Addresses, address};
use crate::leaves::{Condition, Counter, Deadline};
use crate::sync::Arc;
use std::slice;
use std::time::Instant;

/// Longer lists of an operand are not copied into what derives from it: its flags are linked to it and it is watched
/// alone, its leaves are reached through it. Lists stay short however deep the nesting.
pub(crate) const LIMIT: usize = 16;

/// The nodes whose flags a node watches, itself excepted. One is by far the most common number (a child, a request's
/// timeout) and needs no allocation.
#[derive(Default)]
pub(crate) enum Flags {
    #[default]
    None,
    One(Arc<Node>),
    Many(Vec<Arc<Node>>),
}

impl Flags {
    pub(crate) fn as_slice(&self) -> &[Arc<Node>] {
        match self {
            Flags::None => &[],
            Flags::One(flag) => slice::from_ref(flag),
            Flags::Many(flags) => flags,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.as_slice().is_empty()
    }

    pub(crate) fn push(&mut self, flag: Arc<Node>) {
        match self {
            Flags::None => *self = Flags::One(flag),
            Flags::Many(flags) => flags.push(flag),
            Flags::One(_) => {
                if let Flags::One(first) = std::mem::take(self) {
                    *self = Flags::Many(vec![first, flag]);
                }
            }
        }
    }
}

/// A leaf that a node watches, with the node it belongs to.
pub(crate) struct Watched<T> {
    pub(crate) leaf: Arc<T>,
    /// `None`: the node that holds this entry. A leaf belongs to the node of its typed token, or to the sum that
    /// absorbed it, and that node is cancelled with it.
    pub(crate) owner: Option<Arc<Node>>,
    /// The name of an absorbed typed token. Otherwise the owner's name counts.
    pub(crate) name: Option<Arc<str>>,
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

/// The leaves of all classes and everything that is needed to show the operands in their order. Boxed in a node,
/// because children and plain tokens have none of it.
#[derive(Default)]
pub(crate) struct Extra {
    /// The earliest deadline, those reached through other nodes included.
    pub(crate) earliest: Option<Instant>,
    pub(crate) deadlines: Vec<Entry<Deadline>>,
    pub(crate) conditions: Vec<Entry<Condition>>,
    pub(crate) counters: Vec<Entry<Counter>>,
    /// What was summed, in order; for `Debug` alone.
    pub(crate) operands: Vec<Operand>,
}

/// An operand as `Debug` shows it.
pub(crate) enum Operand {
    Node(Arc<Node>),
    /// An absorbed `SimpleToken` with a name; without one it leaves no trace.
    Simple(Arc<str>),
    Deadline(Shown<Deadline>),
    Condition(Shown<Condition>),
    Counter(Shown<Counter>),
}

/// An absorbed leaf and its name.
pub(crate) type Shown<T> = (Arc<T>, Option<Arc<str>>);

/// A class of leaves: where its list is.
pub(crate) trait Leaf: Sized + 'static {
    fn entries(extra: &Extra) -> &Vec<Entry<Self>>;
    fn entries_mut(extra: &mut Extra) -> &mut Vec<Entry<Self>>;
}

impl Leaf for Deadline {
    fn entries(extra: &Extra) -> &Vec<Entry<Self>> {
        &extra.deadlines
    }
    fn entries_mut(extra: &mut Extra) -> &mut Vec<Entry<Self>> {
        &mut extra.deadlines
    }
}

impl Leaf for Condition {
    fn entries(extra: &Extra) -> &Vec<Entry<Self>> {
        &extra.conditions
    }
    fn entries_mut(extra: &mut Extra) -> &mut Vec<Entry<Self>> {
        &mut extra.conditions
    }
}

impl Leaf for Counter {
    fn entries(extra: &Extra) -> &Vec<Entry<Self>> {
        &extra.counters
    }
    fn entries_mut(extra: &mut Extra) -> &mut Vec<Entry<Self>> {
        &mut extra.counters
    }
}

#[derive(Default)]
pub(crate) struct Sources {
    pub(crate) flags: Flags,
    pub(crate) extra: Option<Box<Extra>>,
}

impl Sources {
    /// The sources of a typed token: one leaf of its own.
    pub(crate) fn leaf<T: Leaf>(leaf: T) -> Self {
        let mut sources = Sources::default();
        T::entries_mut(sources.extra_mut()).push(Entry::Leaf(Watched {
            leaf: Arc::new(leaf),
            owner: None,
            name: None,
        }));
        sources
    }

    pub(crate) fn extra_mut(&mut self) -> &mut Extra {
        self.extra.get_or_insert_default()
    }

    pub(crate) fn earliest(&self) -> Option<Instant> {
        self.extra.as_ref().and_then(|extra| extra.earliest)
    }

    /// Whether there are sources that cannot be pushed: conditions or counters.
    pub(crate) fn has_polled(&self) -> bool {
        self.extra
            .as_ref()
            .is_some_and(|extra| !extra.conditions.is_empty() || !extra.counters.is_empty())
    }

    pub(crate) fn has_conditions(&self) -> bool {
        !self.entries::<Condition>().is_empty()
    }

    pub(crate) fn entries<T: Leaf>(&self) -> &[Entry<T>] {
        self.extra.as_deref().map_or(&[], |extra| T::entries(extra))
    }

    /// The leaf of a typed token's own node.
    pub(crate) fn own_leaf<T: Leaf>(&self) -> Option<&Arc<T>> {
        match self.entries::<T>().first() {
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

    pub(crate) fn name(self) -> Option<&'a Arc<str>> {
        self.watched.name.as_ref()
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
    for (index, entry) in sources.entries::<T>().iter().enumerate() {
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
                rest: sources.entries().iter(),
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
            let all = self.sources.entries::<T>();
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
                rest: node.sources.entries().iter(),
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
