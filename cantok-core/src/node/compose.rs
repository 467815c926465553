//! Composition: the sources of several tokens become the sources of one.

use super::addresses::{Addresses, address};
use super::few::Few;
use super::link::Flag;
use super::sources::{Entry, LIMIT, Leaf, Operand, Sources, Watched};
use super::{Kind, Node};
use crate::leaves::{Condition, Counter, Deadline};
use crate::sync::{Arc, Ordering, fence};

/// A sum of more leaves, or one that shows more operands, is not taken apart, but watched as a whole, so that adding to
/// it one by one costs no more each time.
const ABSORBED_LIMIT: usize = 256;

/// Gathers operands. What nobody else can reach is absorbed: its sources move in and its node is gone. Everything
/// else is watched: its flag, and copies of its sources as long as their lists are short.
#[derive(Default)]
pub(crate) struct Composer {
    sources: Sources,
    /// The addresses of the flags and leaves so far, once there is something to compare them with.
    seen: Option<Addresses>,
    /// An operand was cancelled already.
    cancelled: bool,
}

impl Composer {
    pub(crate) fn add(&mut self, node: Arc<Node>) {
        if node.kind == Kind::Never {
            return;
        }
        if Arc::strong_count(&node) > 1 {
            return self.watch(node, true);
        }
        // Acquire: pairs with the release by which the other handles were dropped, so that what was done through them
        // is seen here.
        fence(Ordering::Acquire);
        if !node.is_absorbable() {
            return self.watch(node, true);
        }
        // Fails if a canceller has come by. Weak references, as of the node's own links and alarm, do not count.
        match Arc::try_unwrap(node) {
            Ok(node) => self.absorb(node),
            Err(shared) => self.watch(shared, true),
        }
    }

    /// The new node; cancelled if an operand is.
    pub(crate) fn finish(self) -> Arc<Node> {
        let node = Arc::new(Node::new(Kind::Sum, self.sources));
        if self.cancelled {
            node.look();
        }
        node
    }

    /// A node that watches `parent` and nothing else.
    pub(crate) fn child_of(parent: &Arc<Node>) -> Arc<Node> {
        let mut composer = Composer::default();
        if parent.kind != Kind::Never {
            if parent.sources.is_empty() {
                return Composer::child_of_plain(parent);
            }
            composer.watch(Arc::clone(parent), false);
        }
        let child = Arc::new(Node::new(Kind::Simple, composer.sources));
        if composer.cancelled {
            child.look();
        }
        child
    }

    /// The child of a token that watches nothing, as most that have children. On its own, so that the compiler knows
    /// what is in the node.
    fn child_of_plain(parent: &Arc<Node>) -> Arc<Node> {
        let sources = Sources {
            flags: Few::One(Flag::new(Arc::clone(parent))),
            conditions: Few::None,
            counters: Few::None,
            extra: None,
        };
        let child = Arc::new(Node::new(Kind::Simple, sources));
        if parent.is_marked() {
            child.look();
        }
        child
    }

    fn absorb(&mut self, mut node: Node) {
        if node.is_marked() {
            // A canceller had come by, and was the last but one.
            return self.watch(Arc::new(node), true);
        }
        node.unlink();
        let name = node.name.get().cloned();
        let kind = node.kind;
        let mut sources = std::mem::take(&mut node.sources);
        if kind == Kind::Simple {
            // A child: its parent is what remains of it.
            if let Some(parent) = sources.flags.as_slice().first() {
                let parent = Operand::Node(Arc::clone(&parent.node));
                sources.extra_mut().operands.push(parent);
            }
        }
        let shown = match kind {
            Kind::Simple => name.map(Operand::Simple),
            Kind::Timeout => sources.name_own_leaf(name).map(Operand::Deadline),
            Kind::Condition => sources.name_own_leaf(name).map(Operand::Condition),
            Kind::Counter => sources.name_own_leaf(name).map(Operand::Counter),
            Kind::Sum | Kind::Never => None,
        };
        if let Some(shown) = shown {
            sources.extra_mut().operands.push(shown);
        }
        if self.sources.is_empty() {
            self.sources = sources;
            return;
        }
        for flag in sources.flags.drain() {
            self.push_flag(flag.node);
        }
        sources
            .conditions
            .drain()
            .for_each(|entry| self.append(entry));
        sources
            .counters
            .drain()
            .for_each(|entry| self.append(entry));
        if let Some(mut extra) = sources.extra {
            self.lower_earliest(extra.earliest);
            extra.deadlines.drain().for_each(|entry| self.append(entry));
            for operand in extra.operands {
                self.show(operand);
            }
        }
    }

    fn watch(&mut self, node: Arc<Node>, show: bool) {
        let is_new = self.is_new(address(&node));
        if is_new {
            self.sources.flags.push(Flag::new(Arc::clone(&node)));
        }
        // What another operand derives from is watched already, but may not have been shown.
        if show {
            self.show(Operand::Node(Arc::clone(&node)));
        }
        if !is_new {
            return;
        }
        let flags = node.sources.flags.as_slice();
        if flags.len() <= LIMIT {
            for flag in flags {
                self.push_flag(Arc::clone(&flag.node));
            }
        } else if !node.link() {
            // One of those flags was cancelled before. The node has to know, because it is watched alone; from now
            // on whatever cancels one of them cancels the node too.
            node.look();
        }
        self.lower_earliest(node.sources.earliest());
        if node.is_marked() {
            self.cancelled = true;
            return;
        }
        self.copy::<Deadline>(&node);
        self.copy::<Condition>(&node);
        self.copy::<Counter>(&node);
    }

    /// Adds an operand to those that are shown, if it is not there.
    fn show(&mut self, operand: Operand) {
        let is_new = match &operand {
            Operand::Node(node) => self.is_new(operand_address(node)),
            _ => true,
        };
        if is_new {
            self.sources.extra_mut().operands.push(operand);
        }
    }

    fn push_flag(&mut self, flag: Arc<Node>) {
        if self.is_new(address(&flag)) {
            self.sources.flags.push(Flag::new(flag));
        }
    }

    /// Copies a watched node's leaves, or the way to them if there are many.
    fn copy<T: Leaf>(&mut self, node: &Arc<Node>) {
        let entries = T::entries(&node.sources);
        if entries.len() > LIMIT {
            return T::push(&mut self.sources, Entry::Through(Arc::clone(node)));
        }
        for entry in entries {
            let copy = match entry {
                Entry::Leaf(watched) => Entry::Leaf(Watched {
                    leaf: Arc::clone(&watched.leaf),
                    owner: Some(Arc::clone(watched.owner.as_ref().unwrap_or(node))),
                }),
                Entry::Through(other) => Entry::Through(Arc::clone(other)),
            };
            self.push_entry(copy);
        }
    }

    /// Moves an absorbed node's leaf here.
    fn append<T: Leaf>(&mut self, entry: Entry<T>) {
        match entry {
            // Nobody else can have it.
            Entry::Leaf(Watched { owner: None, .. }) => T::push(&mut self.sources, entry),
            shared => self.push_entry(shared),
        }
    }

    fn push_entry<T: Leaf>(&mut self, entry: Entry<T>) {
        if self.is_new(entry.address()) {
            T::push(&mut self.sources, entry);
        }
    }

    fn lower_earliest(&mut self, at: Option<std::time::Instant>) {
        if let Some(at) = at {
            let earliest = &mut self.sources.extra_mut().earliest;
            *earliest = Some(earliest.map_or(at, |earliest| earliest.min(at)));
        }
    }

    /// Whether the flag or leaf at that address is not among the sources yet. The caller adds it now.
    fn is_new(&mut self, address: usize) -> bool {
        // The first one, and often the only one, has nothing to be compared with.
        if self.sources.is_empty() {
            return true;
        }
        let sources = &self.sources;
        self.seen
            .get_or_insert_with(|| sources.addresses())
            .insert(address)
    }
}

impl Node {
    /// Whether this node can be taken apart if nobody else has it: nobody is to be told by it, nothing is attached to
    /// it, and its lists are short enough to be looked through for repetitions, again and again.
    fn is_absorbable(&self) -> bool {
        let conditions = self.sources.conditions.as_slice();
        let (deadlines, operands) = match &self.sources.extra {
            Some(extra) => (extra.deadlines.as_slice().len(), extra.operands.len()),
            None => (0, 0),
        };
        let leaves = deadlines + conditions.len() + self.sources.counters.as_slice().len();
        // A sum with a name is kept, so that its name stays with all it was given to.
        let named_sum = self.kind == Kind::Sum && self.name.get().is_some();
        !named_sum
            && leaves.max(operands) <= ABSORBED_LIMIT
            && self.sources.flags.as_slice().len() <= LIMIT
            // One that the executor is asking at this moment will be put down to this node.
            && !conditions.iter().any(Entry::is_being_asked)
            && self.is_bare()
            && !self.is_marked()
            // Whoever upgrades a weak reference meanwhile may subscribe or attach. Relaxed: see `Node::downgrade`.
            && !self.downgraded.load(Ordering::Relaxed)
    }
}

impl Sources {
    fn is_empty(&self) -> bool {
        self.flags.is_empty() && !self.has_polled() && self.extra.is_none()
    }

    /// Names the leaf of an absorbed typed token, and gives what is needed to show it.
    fn name_own_leaf<T: Leaf>(&self, name: Option<Arc<str>>) -> Option<Arc<T>> {
        let leaf = self.own_leaf::<T>()?;
        if let Some(name) = name {
            let _ = leaf.name().set(name);
        }
        Some(Arc::clone(leaf))
    }

    fn addresses(&self) -> Addresses {
        let mut addresses = Addresses::default();
        addresses.extend(self.flags.as_slice().iter().map(|flag| address(&flag.node)));
        addresses.extend(self.conditions.as_slice().iter().map(Entry::address));
        addresses.extend(self.counters.as_slice().iter().map(Entry::address));
        if let Some(extra) = &self.extra {
            addresses.extend(extra.deadlines.as_slice().iter().map(Entry::address));
            addresses.extend(extra.operands.iter().filter_map(|operand| match operand {
                Operand::Node(node) => Some(operand_address(node)),
                _ => None,
            }));
        }
        addresses
    }
}

/// Tells an operand that is shown from a flag that is watched; no node's address has that bit.
fn operand_address(node: &Arc<Node>) -> usize {
    address(node) | 2
}
