//! Random graphs of tokens and random operations on them, against a reference that walks the graph at every question.

mod support;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use cantok_core::{
    CancellationError, Cause, ConditionToken, CounterToken, DefaultToken, Registration,
    SimpleToken, TimeoutToken, Token,
};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use support::watchdog;

/// The reference.
mod reference {
    use std::time::Instant;

    #[derive(Clone, Debug, PartialEq)]
    pub(super) enum Why {
        Cancelled,
        Reason(String),
        Condition,
        Timeout,
        Counter(u64),
    }

    /// Why a token is cancelled, and the token that was the first.
    #[derive(Clone, Debug)]
    pub(super) struct Fired {
        pub(super) why: Why,
        pub(super) origin: usize,
    }

    #[derive(Clone, Copy, Debug, PartialEq)]
    pub(super) enum Kind {
        Never,
        Counter,
        Other,
    }

    #[derive(Clone, Copy, Debug)]
    pub(super) enum Item {
        /// A token that is watched.
        Node(usize),
        /// A leaf of the token's own, or of a token that it absorbed.
        Leaf(usize),
    }

    #[derive(Debug)]
    pub(super) enum Leaf {
        Condition {
            met: bool,
            calls: usize,
        },
        Counter {
            limit: u64,
            left: u64,
            direct_only: bool,
        },
        /// Passed from the start or not for an hour.
        Deadline {
            passed: bool,
            at: Option<Instant>,
        },
    }

    #[derive(Debug)]
    pub(super) struct Node {
        pub(super) kind: Kind,
        pub(super) items: Vec<Item>,
        pub(super) fired: Option<Fired>,
        /// There was a second handle or a derived token at some time, or something that arms it: if it moves into a sum
        /// now, it may be kept as it is.
        pub(super) shared: bool,
        /// It moved into a sum in that state, or cancelled: whether the sum has taken its place is left open.
        pub(super) moved: bool,
        pub(super) callbacks: usize,
    }

    #[derive(Debug, Default)]
    pub(super) struct Model {
        pub(super) nodes: Vec<Node>,
        pub(super) leaves: Vec<Leaf>,
    }

    /// All that a token reaches, itself first, each once and in operand order.
    #[derive(Default)]
    struct Reach {
        nodes: Vec<usize>,
        /// With the token that each belongs to.
        leaves: Vec<(usize, usize)>,
    }

    impl Model {
        pub(super) fn add(&mut self, kind: Kind, items: Vec<Item>) -> usize {
            self.nodes.push(Node {
                kind,
                items,
                fired: None,
                shared: false,
                moved: false,
                callbacks: 0,
            });
            self.nodes.len() - 1
        }

        pub(super) fn add_leaf(&mut self, kind: Kind, leaf: Leaf) -> usize {
            self.leaves.push(leaf);
            self.add(kind, vec![Item::Leaf(self.leaves.len() - 1)])
        }

        /// The sum of operands, each given with whether it is the last handle that moves in.
        pub(super) fn sum(&mut self, operands: &[(usize, bool)]) -> usize {
            let mut items = Vec::new();
            for &(node, moves) in operands {
                let operand = &mut self.nodes[node];
                if operand.kind == Kind::Never {
                    continue;
                }
                if moves && !operand.shared && operand.fired.is_none() {
                    items.append(&mut operand.items);
                } else {
                    operand.shared = true;
                    operand.moved |= moves;
                    items.push(Item::Node(node));
                }
            }
            self.add(Kind::Other, items)
        }

        fn reach(&self, node: usize) -> Reach {
            fn visit(model: &Model, node: usize, reach: &mut Reach) {
                if reach.nodes.contains(&node) {
                    return;
                }
                reach.nodes.push(node);
                for item in &model.nodes[node].items {
                    match *item {
                        Item::Node(source) => visit(model, source, reach),
                        Item::Leaf(leaf) => reach.leaves.push((node, leaf)),
                    }
                }
            }
            let mut reach = Reach::default();
            visit(self, node, &mut reach);
            reach
        }

        pub(super) fn reaches_condition(&self, node: usize) -> bool {
            let is_condition =
                |&(_, leaf): &(usize, usize)| matches!(self.leaves[leaf], Leaf::Condition { .. });
            self.reach(node).leaves.iter().any(is_condition)
        }

        pub(super) fn deadline(&self, node: usize) -> Option<Instant> {
            let reach = self.reach(node);
            let deadlines = reach.leaves.iter().map(|&(_, leaf)| &self.leaves[leaf]);
            deadlines
                .filter_map(|leaf| match leaf {
                    Leaf::Deadline { at, .. } => *at,
                    _ => None,
                })
                .min()
        }

        /// The leaf's token is cancelled, unless it was before, and with it the token that asked.
        fn latch(&mut self, asked: usize, owner: usize, why: Why) -> Fired {
            let fired = self.nodes[owner]
                .fired
                .get_or_insert(Fired { why, origin: owner });
            let fired = fired.clone();
            self.nodes[asked].fired.get_or_insert(fired).clone()
        }

        /// What a look finds, without latching it: own flag, other flags, deadlines.
        pub(super) fn peek(&self, node: usize) -> Option<Fired> {
            let reach = self.reach(node);
            let mut flags = reach.nodes.iter();
            let flag = flags.find_map(|&source| self.nodes[source].fired.clone());
            flag.or_else(|| {
                reach.leaves.iter().find_map(|&(owner, leaf)| {
                    matches!(self.leaves[leaf], Leaf::Deadline { passed: true, .. }).then_some(
                        Fired {
                            why: Why::Timeout,
                            origin: owner,
                        },
                    )
                })
            })
        }

        pub(super) fn look(&mut self, node: usize) -> Option<Fired> {
            let fired = self.peek(node)?;
            Some(self.nodes[node].fired.get_or_insert(fired).clone())
        }

        fn satisfied(&mut self, node: usize) -> Option<Fired> {
            for (owner, leaf) in self.reach(node).leaves {
                if let Leaf::Condition { met, calls } = &mut self.leaves[leaf] {
                    *calls += 1;
                    if *met {
                        return Some(self.latch(node, owner, Why::Condition));
                    }
                }
            }
            None
        }

        fn zero(&mut self, node: usize) -> Option<Fired> {
            for (owner, leaf) in self.reach(node).leaves {
                if let Leaf::Counter { limit, left: 0, .. } = self.leaves[leaf] {
                    return Some(self.latch(node, owner, Why::Counter(limit)));
                }
            }
            None
        }

        /// What a callback finds: a look and the counters.
        pub(super) fn look_for_zero(&mut self, node: usize) -> Option<Fired> {
            self.look(node).or_else(|| self.zero(node))
        }

        /// A wait that asks once: what a check asks, in the same order, and nothing is spent.
        pub(super) fn ask(&mut self, node: usize) -> Option<Fired> {
            let fired = self.look(node).or_else(|| self.satisfied(node));
            fired.or_else(|| self.zero(node))
        }

        pub(super) fn check(&mut self, node: usize) -> Option<Fired> {
            let fired = self.ask(node);
            if fired.is_none() {
                self.spend(node);
            }
            fired
        }

        fn spend(&mut self, node: usize) {
            for (owner, leaf) in self.reach(node).leaves {
                let Leaf::Counter {
                    limit,
                    left,
                    direct_only,
                } = &mut self.leaves[leaf]
                else {
                    continue;
                };
                if *direct_only && self.nodes[node].kind != Kind::Counter {
                    continue;
                }
                *left -= 1;
                if *left > 0 {
                    continue;
                }
                let limit = *limit;
                // Callbacks that have not been run yet are refused at once.
                for waiting in 0..self.nodes.len() {
                    let refused = self.nodes[waiting].callbacks > 0
                        && self.peek(waiting).is_none()
                        && self.reach(waiting).leaves.contains(&(owner, leaf));
                    if refused {
                        self.latch(waiting, owner, Why::Counter(limit));
                    }
                }
            }
        }

        pub(super) fn cancel(&mut self, node: usize, why: Why) -> bool {
            if self.nodes[node].kind == Kind::Never || self.look(node).is_some() {
                return false;
            }
            self.latch(node, node, why);
            true
        }
    }
}

use reference::{Fired, Item, Kind, Leaf, Model, Why};

#[derive(Clone, Debug)]
enum Op {
    Simple,
    Condition { met: bool },
    Counter { limit: u64, direct_only: bool },
    Deadline(When),
    Default,
    Never,
    Sum { form: Form, operands: Vec<Operand> },
    Child(usize),
    Clone(usize),
    Drop(usize),
    Cancel(usize),
    CancelWith(usize),
    Check(usize),
    IsCancelled(usize),
    KeepOn(usize),
    CheckOften(usize),
    Look(usize),
    Print(usize),
    Meet { condition: usize, met: bool },
    Wait(usize),
    Register(usize),
    Unregister(usize),
}

#[derive(Clone, Copy, Debug)]
enum When {
    AtOnce,
    Past,
    InMinutes(u64),
    Never,
}

#[derive(Clone, Copy, Debug)]
enum Form {
    Any,
    Sum,
    Collect,
    Add,
    AddBorrowed,
    AddAssign,
}

#[derive(Clone, Copy, Debug)]
struct Operand {
    token: usize,
    owned: bool,
}

/// Operations that leave open which sources have been noticed already.
fn lazy_op() -> impl Strategy<Value = Op> {
    let token = || 0..64_usize;
    let when = prop_oneof![
        Just(When::AtOnce),
        Just(When::Past),
        (60..90_u64).prop_map(When::InMinutes),
        (60..90_u64).prop_map(When::InMinutes),
        Just(When::Never),
    ];
    let form = prop_oneof![
        Just(Form::Any),
        Just(Form::Sum),
        Just(Form::Collect),
        Just(Form::Add),
        Just(Form::AddBorrowed),
        Just(Form::AddAssign),
    ];
    let operand =
        (token(), prop::bool::weighted(0.3)).prop_map(|(token, owned)| Operand { token, owned });
    let sum = (form, prop::collection::vec(operand, 0..5))
        .prop_map(|(form, operands)| Op::Sum { form, operands });
    prop_oneof![
        6 => Just(Op::Simple),
        4 => prop::bool::weighted(0.2).prop_map(|met| Op::Condition { met }),
        5 => (0..6_u64, prop::bool::weighted(0.3))
            .prop_map(|(limit, direct_only)| Op::Counter { limit, direct_only }),
        3 => when.prop_map(Op::Deadline),
        1 => Just(Op::Default),
        1 => Just(Op::Never),
        12 => sum,
        6 => token().prop_map(Op::Child),
        2 => token().prop_map(Op::Clone),
        3 => token().prop_map(Op::Drop),
        4 => token().prop_map(Op::Cancel),
        2 => token().prop_map(Op::CancelWith),
        8 => token().prop_map(Op::Check),
        4 => token().prop_map(Op::IsCancelled),
        4 => token().prop_map(Op::KeepOn),
        2 => token().prop_map(Op::Look),
        2 => token().prop_map(Op::Print),
        4 => (token(), prop::bool::weighted(0.8))
            .prop_map(|(condition, met)| Op::Meet { condition, met }),
    ]
}

/// All operations. Those that arm a token make it notice its sources earlier, which is not to be seen when every token is
/// asked after every operation.
fn eager_op() -> impl Strategy<Value = Op> {
    let token = || 0..64_usize;
    prop_oneof![
        16 => lazy_op(),
        1 => token().prop_map(Op::CheckOften),
        1 => token().prop_map(Op::Wait),
        2 => token().prop_map(Op::Register),
        1 => token().prop_map(Op::Unregister),
    ]
}

enum Handle {
    Token(Token),
    Simple(SimpleToken),
    Condition(ConditionToken),
    Timeout(TimeoutToken),
    Counter(CounterToken),
    Default(DefaultToken),
}

impl Handle {
    fn token(&self) -> &Token {
        match self {
            Handle::Token(token) => token,
            Handle::Simple(token) => token,
            Handle::Condition(token) => token,
            Handle::Timeout(token) => token,
            Handle::Counter(token) => token,
            Handle::Default(token) => token,
        }
    }

    fn into_token(self) -> Token {
        match self {
            Handle::Token(token) => token,
            Handle::Simple(token) => token.into(),
            Handle::Condition(token) => token.into(),
            Handle::Timeout(token) => token.into(),
            Handle::Counter(token) => token.into(),
            Handle::Default(token) => token.into(),
        }
    }

    fn second(&self) -> Self {
        match self {
            Handle::Token(token) => Handle::Token(token.clone()),
            Handle::Simple(token) => Handle::Simple(token.clone()),
            Handle::Condition(token) => Handle::Condition(token.clone()),
            Handle::Timeout(token) => Handle::Timeout(token.clone()),
            Handle::Counter(token) => Handle::Counter(token.clone()),
            Handle::Default(token) => Handle::Default(*token),
        }
    }

    fn remaining_units(&self) -> Option<(u64, u64)> {
        match self {
            Handle::Counter(token) => Some((token.remaining(), token.limit())),
            _ => None,
        }
    }
}

/// A callback and how often it was run.
struct Watched {
    registration: Registration,
    runs: Arc<AtomicUsize>,
}

/// A handle and its node in the reference.
struct Slot {
    handle: Handle,
    node: usize,
    watched: Vec<Watched>,
}

/// A condition's flag and calls, and its leaf in the reference.
struct RealCondition {
    met: Arc<AtomicBool>,
    calls: Arc<AtomicUsize>,
    leaf: usize,
}

#[derive(Default)]
struct World {
    model: Model,
    slots: Vec<Slot>,
    conditions: Vec<RealCondition>,
    reasons: usize,
    /// No more tokens than this.
    limit: usize,
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for slot in &self.slots {
            writeln!(f, "{}: {:?}", slot.node, slot.handle.token())?;
        }
        write!(f, "{:#?}", self.model)
    }
}

fn why(error: &CancellationError) -> Why {
    match error.cause() {
        Cause::Cancelled => Why::Cancelled,
        Cause::Reason(reason) => Why::Reason(reason.to_string()),
        Cause::Condition => Why::Condition,
        Cause::Timeout { .. } => Why::Timeout,
        Cause::Counter { limit } => Why::Counter(*limit),
        other => panic!("a cause that the reference does not know: {other:?}"),
    }
}

type Tested = Result<(), TestCaseError>;

impl World {
    fn add(&mut self, handle: Handle, node: usize) {
        self.slots.push(Slot {
            handle,
            node,
            watched: Vec::new(),
        });
    }

    /// The slot that the number stands for, if there is any.
    fn slot(&self, number: usize) -> Option<usize> {
        (!self.slots.is_empty()).then(|| number % self.slots.len())
    }

    fn remove(&mut self, slot: usize) -> (Handle, usize) {
        let Slot {
            handle,
            node,
            watched,
        } = self.slots.remove(slot);
        self.model.nodes[node].callbacks -= watched.len();
        drop(watched);
        (handle, node)
    }

    /// Compares an answer with the reference's.
    fn compare(&self, error: Option<&CancellationError>, expected: Option<&Fired>) -> Tested {
        prop_assert_eq!(
            error.map(why),
            expected.map(|fired| fired.why.clone()),
            "{:?}",
            self
        );
        let (Some(error), Some(fired)) = (error, expected) else {
            return Ok(());
        };
        if !self.model.nodes[fired.origin].moved {
            for slot in &self.slots {
                prop_assert_eq!(
                    error.is_from(slot.handle.token()),
                    slot.node == fired.origin,
                    "whether it is from {}: {:?}",
                    slot.node,
                    self
                );
            }
        }
        Ok(())
    }

    /// Asks a token for everything that a look can see.
    fn look_at(&mut self, slot: usize) -> Tested {
        let node = self.slots[slot].node;
        let expected = self.model.look(node);
        let token = self.slots[slot].handle.token();
        self.compare(token.cause().as_ref(), expected.as_ref())?;
        if expected.is_none() {
            prop_assert_eq!(token.deadline(), self.model.deadline(node), "{:?}", self);
        }
        let says_no = token.to_string().ends_with("(not cancelled)");
        prop_assert_eq!(says_no, expected.is_none(), "{}: {:?}", token, self);
        let can_be = self.model.nodes[node].kind != Kind::Never;
        prop_assert_eq!(token.can_be_cancelled(), can_be);
        if let Some(units) = self.slots[slot].handle.remaining_units() {
            let Some(&Item::Leaf(leaf)) = self.model.nodes[node].items.first() else {
                return Err(TestCaseError::fail("a counter without its leaf"));
            };
            let Leaf::Counter { limit, left, .. } = self.model.leaves[leaf] else {
                return Err(TestCaseError::fail("a counter with another leaf"));
            };
            prop_assert_eq!(units, (left, limit), "{:?}", self);
        }
        Ok(())
    }

    /// What must hold after every operation without asking any token.
    fn compare_calls(&self) -> Tested {
        for condition in &self.conditions {
            let Leaf::Condition { calls, .. } = self.model.leaves[condition.leaf] else {
                return Err(TestCaseError::fail("a condition with another leaf"));
            };
            let real = condition.calls.load(Ordering::SeqCst);
            prop_assert_eq!(real, calls, "calls of leaf {}: {:?}", condition.leaf, self);
        }
        for slot in &self.slots {
            for watched in &slot.watched {
                let runs = watched.runs.load(Ordering::SeqCst);
                let expected = usize::from(self.model.peek(slot.node).is_some());
                prop_assert_eq!(runs, expected, "callback of {}: {:?}", slot.node, self);
            }
        }
        Ok(())
    }

    fn look_at_all(&mut self) -> Tested {
        for slot in 0..self.slots.len() {
            self.look_at(slot)?;
        }
        for a in &self.slots {
            for b in &self.slots {
                let same = a.node == b.node
                    || [a, b].map(|slot| self.model.nodes[slot.node].kind) == [Kind::Never; 2];
                prop_assert_eq!(a.handle.token() == b.handle.token(), same);
            }
        }
        Ok(())
    }

    fn create(&mut self, op: &Op) {
        let (handle, node) = match *op {
            Op::Simple => (
                Handle::Simple(SimpleToken::new()),
                self.model.add(Kind::Other, vec![]),
            ),
            Op::Condition { met } => {
                let leaf = Leaf::Condition { met, calls: 0 };
                let node = self.model.add_leaf(Kind::Other, leaf);
                let met = Arc::new(AtomicBool::new(met));
                let calls = Arc::<AtomicUsize>::default();
                let token = ConditionToken::new({
                    let (met, calls) = (met.clone(), calls.clone());
                    move || {
                        calls.fetch_add(1, Ordering::SeqCst);
                        met.load(Ordering::SeqCst)
                    }
                });
                let leaf = self.model.leaves.len() - 1;
                self.conditions.push(RealCondition { met, calls, leaf });
                (Handle::Condition(token), node)
            }
            Op::Counter { limit, direct_only } => {
                let leaf = Leaf::Counter {
                    limit,
                    left: limit,
                    direct_only,
                };
                let node = self.model.add_leaf(Kind::Counter, leaf);
                let mut token = CounterToken::new(limit);
                if direct_only {
                    token = token.direct_only();
                }
                (Handle::Counter(token), node)
            }
            Op::Deadline(when) => {
                let now = Instant::now();
                let token = match when {
                    When::AtOnce => TimeoutToken::new(Duration::ZERO),
                    When::Past => {
                        TimeoutToken::at(now.checked_sub(Duration::from_secs(1)).unwrap_or(now))
                    }
                    When::InMinutes(minutes) => {
                        TimeoutToken::new(Duration::from_secs(60 * minutes))
                    }
                    When::Never => TimeoutToken::new(Duration::MAX),
                };
                let leaf = Leaf::Deadline {
                    passed: matches!(when, When::AtOnce | When::Past),
                    at: token.deadline(),
                };
                (
                    Handle::Timeout(token),
                    self.model.add_leaf(Kind::Other, leaf),
                )
            }
            Op::Default => (
                Handle::Default(DefaultToken::new()),
                self.model.add(Kind::Never, vec![]),
            ),
            _ => (
                Handle::Token(Token::never()),
                self.model.add(Kind::Never, vec![]),
            ),
        };
        self.add(handle, node);
    }

    fn sum(&mut self, form: Form, operands: &[Operand]) {
        let mut tokens = Vec::new();
        let mut nodes = Vec::new();
        // Those that move go out of the slots only when the borrowed ones among the operands have been found.
        let slots: Vec<_> = operands
            .iter()
            .filter_map(|operand| Some((self.slot(operand.token)?, operand.owned)))
            .collect();
        let mut gone = Vec::new();
        for (number, &(slot, owned)) in slots.iter().enumerate() {
            let node = self.slots[slot].node;
            let again = slots.iter().enumerate();
            let again = again.filter(|&(other, &(of, _))| other != number && of == slot);
            let moves = owned && again.count() == 0;
            if moves {
                gone.push(slot);
                tokens.push(None);
            } else {
                tokens.push(Some(Token::from(self.slots[slot].handle.token())));
                self.model.nodes[node].shared = true;
            }
            nodes.push((node, moves));
        }
        gone.sort_unstable();
        let mut moved = Vec::new();
        for slot in gone.into_iter().rev() {
            let (handle, node) = self.remove(slot);
            moved.push((node, handle.into_token()));
        }
        let tokens: Vec<Token> = tokens
            .into_iter()
            .zip(&nodes)
            .map(|(token, &(node, _))| {
                token.unwrap_or_else(|| {
                    let at = moved.iter().position(|(of, _)| *of == node);
                    moved.swap_remove(at.expect("a token that moved")).1
                })
            })
            .collect();
        let sum = match (form, <[Token; 2]>::try_from(tokens)) {
            (Form::AddBorrowed, Ok([a, b])) if nodes.iter().all(|(_, moves)| !moves) => &a + &b,
            (Form::Any, Ok(tokens)) => Token::any(tokens),
            (Form::Sum, Ok(tokens)) => tokens.into_iter().sum(),
            (Form::Collect, Ok(tokens)) => tokens.into_iter().collect(),
            (Form::Add | Form::AddBorrowed, Ok([a, b])) => a + b,
            (Form::AddAssign, Ok([mut a, b])) => {
                a += b;
                a
            }
            (Form::Sum, Err(tokens)) => tokens.into_iter().sum(),
            (Form::Collect, Err(tokens)) => tokens.into_iter().collect(),
            (Form::Add, Err(tokens)) if tokens.len() > 2 => {
                let mut tokens = tokens.into_iter();
                let first = tokens.next().expect("three or more");
                tokens.fold(first, |sum, token| sum + token)
            }
            (_, Err(tokens)) => Token::any(tokens),
        };
        let node = self.model.sum(&nodes);
        self.add(Handle::Token(sum), node);
    }

    fn apply(&mut self, op: &Op) -> Tested {
        let new = self.slots.len() < self.limit;
        match op {
            Op::Simple
            | Op::Condition { .. }
            | Op::Counter { .. }
            | Op::Deadline(_)
            | Op::Default
            | Op::Never => {
                if new {
                    self.create(op);
                    self.look_at(self.slots.len() - 1)?;
                }
            }
            Op::Sum { form, operands } => {
                if new {
                    self.sum(*form, operands);
                    self.look_at(self.slots.len() - 1)?;
                }
            }
            Op::Meet { condition, met } => {
                if !self.conditions.is_empty() {
                    let condition = &self.conditions[condition % self.conditions.len()];
                    condition.met.store(*met, Ordering::SeqCst);
                    if let Leaf::Condition { met: known, .. } =
                        &mut self.model.leaves[condition.leaf]
                    {
                        *known = *met;
                    }
                }
            }
            Op::Child(token)
            | Op::Clone(token)
            | Op::Drop(token)
            | Op::Cancel(token)
            | Op::CancelWith(token)
            | Op::Check(token)
            | Op::IsCancelled(token)
            | Op::KeepOn(token)
            | Op::CheckOften(token)
            | Op::Look(token)
            | Op::Print(token)
            | Op::Wait(token)
            | Op::Register(token)
            | Op::Unregister(token) => {
                if let Some(slot) = self.slot(*token) {
                    self.apply_to(op, slot, new)?;
                }
            }
        }
        self.compare_calls()
    }

    fn apply_to(&mut self, op: &Op, slot: usize, new: bool) -> Tested {
        let node = self.slots[slot].node;
        let token = self.slots[slot].handle.token();
        match op {
            Op::Child(_) if new => {
                let child = Handle::Simple(token.child());
                self.model.nodes[node].shared = true;
                let items = match self.model.nodes[node].kind {
                    Kind::Never => vec![],
                    _ => vec![Item::Node(node)],
                };
                let node = self.model.add(Kind::Other, items);
                self.add(child, node);
                self.look_at(self.slots.len() - 1)?;
            }
            Op::Clone(_) if new => {
                let second = self.slots[slot].handle.second();
                self.model.nodes[node].shared = true;
                self.add(second, node);
            }
            Op::Drop(_) => drop(self.remove(slot)),
            Op::Cancel(_) => {
                let cancelled = token.cancel();
                prop_assert_eq!(cancelled, self.model.cancel(node, Why::Cancelled));
            }
            Op::CancelWith(_) => {
                self.reasons += 1;
                let reason = format!("reason {}", self.reasons);
                let cancelled = token.cancel_with(reason.clone());
                let expected = self.model.cancel(node, Why::Reason(reason));
                prop_assert_eq!(cancelled, expected);
            }
            Op::Check(_) => {
                let error = token.check().err();
                let expected = self.model.check(node);
                self.compare(error.as_ref(), expected.as_ref())?;
            }
            Op::IsCancelled(_) => {
                let cancelled = token.is_cancelled();
                let expected = self.model.check(node).is_some();
                prop_assert_eq!(cancelled, expected, "{}: {:?}", node, self);
            }
            Op::KeepOn(_) => {
                let keep_on = token.keep_on();
                let expected = self.model.check(node).is_none();
                prop_assert_eq!(keep_on, expected, "{}: {:?}", node, self);
            }
            Op::CheckOften(_) => {
                self.model.nodes[node].shared = true;
                for _ in 0..150 {
                    let cancelled = self.slots[slot].handle.token().is_cancelled();
                    let expected = self.model.check(node).is_some();
                    prop_assert_eq!(cancelled, expected, "{}: {:?}", node, self);
                }
            }
            Op::Look(_) => self.look_at(slot)?,
            Op::Print(_) => {
                let text = format!("{token:?} {token}");
                prop_assert!(!text.is_empty());
            }
            Op::Wait(_) => {
                self.model.nodes[node].shared = true;
                let error = token.wait_timeout(Duration::ZERO);
                let expected = self.model.ask(node);
                self.compare(error.as_ref(), expected.as_ref())?;
            }
            // Conditions are polled for a callback, at times of their own.
            Op::Register(_) if !self.model.reaches_condition(node) => {
                let runs = Arc::<AtomicUsize>::default();
                let registration = token.on_cancel({
                    let runs = runs.clone();
                    move |_| {
                        runs.fetch_add(1, Ordering::SeqCst);
                    }
                });
                self.model.look_for_zero(node);
                self.model.nodes[node].shared = true;
                self.model.nodes[node].callbacks += 1;
                self.slots[slot]
                    .watched
                    .push(Watched { registration, runs });
            }
            Op::Unregister(_) => {
                if let Some(Watched { registration, runs }) = self.slots[slot].watched.pop() {
                    self.model.nodes[node].callbacks -= 1;
                    let never_run = registration.unregister();
                    prop_assert_eq!(usize::from(!never_run), runs.load(Ordering::SeqCst));
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Drops everything: what the conditions own must be gone then.
    fn end(mut self) -> Tested {
        while !self.slots.is_empty() {
            drop(self.remove(self.slots.len() / 2));
        }
        for condition in &self.conditions {
            prop_assert_eq!(Arc::strong_count(&condition.met), 1, "a condition is left");
        }
        Ok(())
    }
}

fn run(
    cases: u32,
    ops: impl Strategy<Value = Vec<Op>>,
    limit: usize,
    after_each: fn(&mut World) -> Tested,
) {
    let mut runner = TestRunner::new(Config {
        cases,
        failure_persistence: None,
        max_shrink_time: 20_000,
        ..Config::default()
    });
    let result = runner.run(&ops, |ops| {
        let mut world = World {
            limit,
            ..World::default()
        };
        for op in &ops {
            world.apply(op)?;
            after_each(&mut world)?;
        }
        world.end()
    });
    if let Err(failure) = result {
        panic!("{failure}");
    }
}

#[test]
fn every_token_answers_as_the_reference_does_after_every_operation() {
    watchdog("random operations, everything asked", || {
        let ops = prop::collection::vec(eager_op(), 1..60);
        run(3000, ops, 20, World::look_at_all);
    });
}

#[test]
fn a_token_that_is_asked_late_answers_as_the_reference_does() {
    watchdog("random operations, nothing else asked", || {
        let ops = prop::collection::vec(lazy_op(), 1..40);
        run(10_000, ops, 10, |_| Ok(()));
    });
}
