//! Random graphs of tokens and random operations on them, against a reference that walks the graph at every question.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Wake, Waker};
use std::time::{Duration, Instant};

use cantok_core::adapter::{TokenAdapterExt as _, WakerRegistration};
use cantok_core::{
    CancellationError, Cause, ConditionToken, CounterToken, DefaultToken, IdleToken, Registration,
    SimpleToken, TimeoutToken, Token,
};
use cantok_testkit::background::{await_the_background, await_the_timer};
use cantok_testkit::watchdog;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};

/// The reference. A token is cancelled by the earliest of what has fired among the tokens that it derives from, so
/// nothing depends on which token was asked, or when.
mod reference {
    use std::time::{Duration, Instant};

    #[derive(Clone, Debug, PartialEq)]
    pub(super) enum Why {
        Cancelled,
        Reason(String),
        Condition,
        Timeout,
        Idle,
        Counter(u64),
    }

    /// Between two instants: those of an operation, or twice that of a deadline.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub(super) struct When {
        pub(super) from: Instant,
        pub(super) to: Instant,
        /// The number of the operation, or 0.
        pub(super) operation: usize,
    }

    impl When {
        pub(super) fn exactly(at: Instant) -> Self {
            When {
                from: at,
                to: at,
                operation: 0,
            }
        }

        /// `None`: beyond the clock's range.
        fn after(self, delay: Duration) -> Option<Self> {
            Some(When {
                from: self.from.checked_add(delay)?,
                to: self.to.checked_add(delay)?,
                operation: 0,
            })
        }
    }

    /// Why a token is cancelled, the token that fired, and when it did.
    #[derive(Clone, Debug)]
    pub(super) struct Fired {
        pub(super) why: Why,
        pub(super) origin: usize,
        pub(super) when: When,
    }

    #[derive(Debug)]
    pub(super) enum Kind {
        Never,
        /// A SimpleToken, a child or a sum.
        Plain,
        Condition {
            met: bool,
            calls: usize,
            /// By the background thread, which asks again after an hour.
            is_asked: bool,
        },
        Counter {
            limit: u64,
            left: u64,
            direct_only: bool,
        },
        Deadline(Option<Instant>),
        /// Which touches put off until it has passed.
        Idle(Option<Instant>),
        /// Cancelled so long after another token.
        Delayed {
            source: usize,
            delay: Duration,
        },
    }

    #[derive(Debug)]
    pub(super) struct Node {
        pub(super) kind: Kind,
        pub(super) operands: Vec<usize>,
        /// By itself.
        fired: Option<Fired>,
    }

    #[derive(Debug)]
    pub(super) struct Model {
        pub(super) nodes: Vec<Node>,
        /// What the clock shows.
        pub(super) now: Instant,
    }

    impl Model {
        pub(super) fn new() -> Self {
            Model {
                nodes: Vec::new(),
                now: Instant::now(),
            }
        }

        pub(super) fn add(&mut self, kind: Kind, operands: &[usize], when: When) -> usize {
            let is_empty = matches!(kind, Kind::Counter { limit: 0, .. });
            self.nodes.push(Node {
                kind,
                operands: operands.to_vec(),
                fired: None,
            });
            let node = self.nodes.len() - 1;
            if is_empty {
                self.fire(node, Why::Counter(0), when);
            }
            node
        }

        pub(super) fn is_never(&self, node: usize) -> bool {
            matches!(self.nodes[node].kind, Kind::Never)
        }

        /// The token and all that it derives from, each once and in operand order.
        pub(super) fn reach(&self, node: usize) -> Vec<usize> {
            fn visit(model: &Model, node: usize, reached: &mut Vec<usize>) {
                if !reached.contains(&node) {
                    reached.push(node);
                    for &operand in &model.nodes[node].operands {
                        visit(model, operand, reached);
                    }
                }
            }
            let mut reached = Vec::new();
            visit(self, node, &mut reached);
            reached
        }

        /// The deadline of a delayed token, once its source is cancelled.
        pub(super) fn due(&self, node: usize) -> Option<Fired> {
            let Kind::Delayed { source, delay } = self.nodes[node].kind else {
                return None;
            };
            let fired = self.cause(source)?;
            let when = fired.when.after(delay)?;
            Some(Fired { when, ..fired })
        }

        /// Between which two instants the deadline is.
        pub(super) fn deadline(&self, node: usize) -> Option<(Instant, Instant)> {
            let reached = self.reach(node).into_iter();
            let deadlines = reached.filter_map(|node| match self.nodes[node].kind {
                Kind::Deadline(at) | Kind::Idle(at) => at.map(When::exactly),
                _ => self.due(node).map(|fired| fired.when),
            });
            deadlines.map(|when| (when.from, when.to)).reduce(
                |(from, to), (other_from, other_to)| (from.min(other_from), to.min(other_to)),
            )
        }

        /// The earliest that has fired by now; of several at one instant the leftmost.
        pub(super) fn cause(&self, node: usize) -> Option<Fired> {
            let reached = self.reach(node).into_iter();
            let fired = reached.filter_map(|node| match &self.nodes[node] {
                Node {
                    fired: Some(fired), ..
                } => Some(fired.clone()),
                Node {
                    kind: kind @ (Kind::Deadline(Some(at)) | Kind::Idle(Some(at))),
                    ..
                } if *at <= self.now => Some(Fired {
                    why: match kind {
                        Kind::Idle(_) => Why::Idle,
                        _ => Why::Timeout,
                    },
                    origin: node,
                    when: When::exactly(*at),
                }),
                _ => self.due(node).filter(|fired| fired.when.to <= self.now),
            });
            fired.min_by_key(|fired| (fired.when.from, fired.when.operation))
        }

        fn fire(&mut self, node: usize, why: Why, when: When) {
            let fired = Fired {
                why,
                origin: node,
                when,
            };
            self.nodes[node].fired.get_or_insert(fired);
        }

        pub(super) fn cancel(&mut self, node: usize, why: Why, when: When) -> bool {
            if self.is_never(node) || self.cause(node).is_some() {
                return false;
            }
            self.fire(node, why, when);
            true
        }

        /// What a wait asks: a check without the counters.
        pub(super) fn ask(&mut self, node: usize, when: When) -> Option<Fired> {
            if self.cause(node).is_none() {
                for node in self.reach(node) {
                    if let Kind::Condition { met, calls, .. } = &mut self.nodes[node].kind {
                        *calls += 1;
                        if *met {
                            self.fire(node, Why::Condition, when);
                            break;
                        }
                    }
                }
            }
            self.cause(node)
        }

        pub(super) fn check(&mut self, node: usize, when: When) -> Option<Fired> {
            if let Some(fired) = self.ask(node, when) {
                return Some(fired);
            }
            let mut counters = self.reach(node);
            counters.retain(|&counter| match self.nodes[counter].kind {
                Kind::Counter { direct_only, .. } => !direct_only || counter == node,
                _ => false,
            });
            for &counter in &counters {
                if let Kind::Counter { left: 0, limit, .. } = self.nodes[counter].kind {
                    self.fire(counter, Why::Counter(limit), when);
                    return self.cause(node);
                }
            }
            for counter in counters {
                if let Kind::Counter { left, .. } = &mut self.nodes[counter].kind {
                    *left -= 1;
                }
            }
            None
        }

        /// The conditions that the background thread asks at once if a waiter is registered, and whether they are met.
        pub(super) fn unasked(&self, node: usize) -> Vec<(usize, bool)> {
            if self.cause(node).is_some() {
                return Vec::new();
            }
            let reached = self.reach(node).into_iter();
            let unasked = reached.filter_map(|node| match self.nodes[node].kind {
                Kind::Condition {
                    met,
                    is_asked: false,
                    ..
                } => Some((node, met)),
                _ => None,
            });
            unasked.collect()
        }

        /// Registers a waiter.
        pub(super) fn register(&mut self, node: usize, when: When) {
            for (node, is_met) in self.unasked(node) {
                if let Kind::Condition {
                    calls, is_asked, ..
                } = &mut self.nodes[node].kind
                {
                    *calls += 1;
                    *is_asked = true;
                }
                if is_met {
                    self.fire(node, Why::Condition, when);
                }
            }
        }

        /// Whether the token cancels by itself.
        pub(super) fn goes_on(&self, node: usize) -> bool {
            let mut reached = self.reach(node).into_iter();
            self.cause(node).is_none()
                && reached.any(|node| match self.nodes[node].kind {
                    Kind::Deadline(at) | Kind::Idle(at) => at.is_some(),
                    Kind::Condition { .. } => true,
                    Kind::Delayed { source, delay } => {
                        self.goes_on(source) && self.now.checked_add(delay).is_some()
                            || self.due(node).is_some()
                    }
                    _ => false,
                })
        }

        /// What a token that goes on keeps alive.
        pub(super) fn kept(&self, node: usize) -> Vec<usize> {
            if !self.goes_on(node) {
                return Vec::new();
            }
            let mut kept = self.reach(node);
            for node in kept.clone() {
                if let Kind::Delayed { source, .. } = self.nodes[node].kind {
                    kept.extend(self.kept(source));
                }
            }
            kept
        }
    }
}

use reference::{Fired, Kind, Model, When, Why};

#[derive(Clone, Debug)]
enum Op {
    Simple,
    Condition {
        met: bool,
    },
    Counter {
        limit: u64,
        direct_only: bool,
    },
    Deadline(Deadline),
    Idle(Idle),
    Delayed {
        token: usize,
        delay: Delay,
    },
    Touch(usize),
    Default,
    Never,
    Sum {
        form: Form,
        operands: Vec<Operand>,
    },
    Child(usize),
    Clone(usize),
    Drop(usize),
    Cancel(usize),
    CancelWith(usize),
    Check(usize),
    IsCancelled(usize),
    KeepOn(usize),
    CheckOften(usize),
    Peek(usize),
    PeekOften(usize),
    Print(usize),
    Meet {
        condition: usize,
        met: bool,
    },
    Wait(usize),
    RegisterCallback(usize),
    RegisterWaker(usize),
    RegisterAgain(usize),
    Unregister(usize),
    Detach(usize),
    /// Waits for the next deadline.
    LetPass,
}

#[derive(Clone, Copy, Debug)]
enum Deadline {
    AtOnce,
    Past,
    Soon(u64),
    InMinutes(u64),
    Never,
    /// That of another token.
    SameAs(usize),
}

/// After how long an IdleToken is cancelled.
#[derive(Clone, Copy, Debug)]
enum Idle {
    AtOnce,
    SoonAfter(u64),
    Minutes(u64),
    Never,
}

#[derive(Clone, Copy, Debug)]
enum Delay {
    None,
    Soon(u64),
    Minutes(u64),
    Forever,
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

fn token() -> impl Strategy<Value = usize> {
    0..64_usize
}

fn deadline() -> impl Strategy<Value = Deadline> {
    prop_oneof![
        Just(Deadline::AtOnce),
        Just(Deadline::Past),
        (60..90_u64).prop_map(Deadline::InMinutes),
        (60..90_u64).prop_map(Deadline::InMinutes),
        Just(Deadline::Never),
    ]
}

fn idle() -> impl Strategy<Value = Idle> {
    prop_oneof![
        1 => Just(Idle::AtOnce),
        4 => (60..90_u64).prop_map(Idle::Minutes),
        1 => Just(Idle::Never),
    ]
}

fn delay() -> impl Strategy<Value = Delay> {
    prop_oneof![
        1 => Just(Delay::None),
        4 => (60..90_u64).prop_map(Delay::Minutes),
        1 => Just(Delay::Forever),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    let form = prop_oneof![
        Just(Form::Any),
        Just(Form::Sum),
        Just(Form::Collect),
        Just(Form::Add),
        Just(Form::AddBorrowed),
        Just(Form::AddAssign),
    ];
    let operand =
        || (token(), prop::bool::weighted(0.3)).prop_map(|(token, owned)| Operand { token, owned });
    let operands = prop_oneof![
        12 => prop::collection::vec(operand(), 0..5),
        1 => prop::collection::vec(operand(), 14..40),
    ];
    let sum = (form, operands).prop_map(|(form, operands)| Op::Sum { form, operands });
    let create = prop_oneof![
        6 => Just(Op::Simple),
        4 => prop::bool::weighted(0.2).prop_map(|met| Op::Condition { met }),
        5 => (0..6_u64, prop::bool::weighted(0.3))
            .prop_map(|(limit, direct_only)| Op::Counter { limit, direct_only }),
        3 => deadline().prop_map(Op::Deadline),
        3 => idle().prop_map(Op::Idle),
        3 => (token(), delay()).prop_map(|(token, delay)| Op::Delayed { token, delay }),
        1 => Just(Op::Default),
        1 => Just(Op::Never),
        12 => sum,
        6 => token().prop_map(Op::Child),
        2 => token().prop_map(Op::Clone),
        3 => token().prop_map(Op::Drop),
    ];
    let check = prop_oneof![
        4 => token().prop_map(Op::Touch),
        4 => token().prop_map(Op::Cancel),
        2 => token().prop_map(Op::CancelWith),
        8 => token().prop_map(Op::Check),
        4 => token().prop_map(Op::IsCancelled),
        4 => token().prop_map(Op::KeepOn),
        2 => token().prop_map(Op::CheckOften),
        2 => token().prop_map(Op::Peek),
        1 => token().prop_map(Op::PeekOften),
        2 => token().prop_map(Op::Print),
        2 => token().prop_map(Op::Wait),
        4 => (token(), prop::bool::weighted(0.8))
            .prop_map(|(condition, met)| Op::Meet { condition, met }),
    ];
    let register = prop_oneof![
        2 => token().prop_map(Op::RegisterCallback),
        2 => token().prop_map(Op::RegisterWaker),
        1 => token().prop_map(Op::RegisterAgain),
        2 => token().prop_map(Op::Unregister),
        1 => token().prop_map(Op::Detach),
    ];
    prop_oneof![8 => create, 6 => check, 2 => register]
}

/// With deadlines that pass.
fn op_in_time() -> impl Strategy<Value = Op> {
    let soon = (2..8_u64).prop_map(|millis| Op::Deadline(Deadline::Soon(millis)));
    let idle = (2..8_u64).prop_map(|millis| Op::Idle(Idle::SoonAfter(millis)));
    let delayed = (token(), (2..8_u64).prop_map(Delay::Soon))
        .prop_map(|(token, delay)| Op::Delayed { token, delay });
    let touch = token().prop_map(Op::Touch);
    prop_oneof![24 => op(), 2 => soon, 2 => idle, 2 => delayed, 1 => touch, 1 => Just(Op::LetPass)]
}

/// With several deadlines at one instant.
fn op_at_once() -> impl Strategy<Value = Op> {
    let same = token().prop_map(|token| Op::Deadline(Deadline::SameAs(token)));
    let past = Just(Op::Deadline(Deadline::Past));
    prop_oneof![12 => op(), 1 => past, 3 => same]
}

enum Handle {
    Token(Token),
    Simple(SimpleToken),
    Condition(ConditionToken),
    Timeout(TimeoutToken),
    Counter(CounterToken),
    Idle(IdleToken),
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
            Handle::Idle(token) => token,
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
            Handle::Idle(token) => token.into(),
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
            Handle::Idle(token) => Handle::Idle(token.clone()),
            Handle::Default(token) => Handle::Default(*token),
        }
    }
}

/// A task that counts how often it is woken.
#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// What waits for a token.
enum Waiter {
    Callback {
        registration: Registration,
        calls: Arc<AtomicUsize>,
    },
    Waker {
        registration: WakerRegistration,
        task: Arc<Count>,
    },
}

/// A handle and its node in the reference.
struct Slot {
    handle: Handle,
    node: usize,
    waiters: Vec<Waiter>,
}

/// A condition's answer and calls, and its node in the reference.
struct RealCondition {
    met: Arc<AtomicBool>,
    calls: Arc<AtomicUsize>,
    node: usize,
}

/// A detached callback.
struct Detached {
    node: usize,
    calls: Arc<AtomicUsize>,
}

struct World {
    model: Model,
    slots: Vec<Slot>,
    conditions: Vec<RealCondition>,
    detached: Vec<Detached>,
    /// Deadlines that pass while the test runs, or have passed, each between two instants.
    soon: Vec<When>,
    operations: usize,
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
        Cause::Idle { .. } => Why::Idle,
        Cause::Counter { limit } => Why::Counter(*limit),
        other => panic!("a cause that the reference does not know: {other:?}"),
    }
}

type Tested = Result<(), TestCaseError>;

impl World {
    fn new(limit: usize) -> Self {
        World {
            model: Model::new(),
            slots: Vec::new(),
            conditions: Vec::new(),
            detached: Vec::new(),
            soon: Vec::new(),
            operations: 0,
            reasons: 0,
            limit,
        }
    }

    fn add(&mut self, handle: Handle, node: usize) {
        self.slots.push(Slot {
            handle,
            node,
            waiters: Vec::new(),
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
            waiters,
        } = self.slots.remove(slot);
        drop(waiters);
        (handle, node)
    }

    /// Shows the reference the time. A case in which a deadline passes during an operation has no certain outcome.
    fn tick(&mut self) -> Tested {
        self.note_delays();
        let now = Instant::now();
        let mut soon = self.soon.iter();
        if soon.any(|due| self.model.now < due.to && due.from <= now) {
            return Err(TestCaseError::reject("a deadline has passed meanwhile"));
        }
        self.model.now = now;
        Ok(())
    }

    /// Adds the deadlines of delayed tokens whose sources are cancelled.
    fn note_delays(&mut self) {
        for node in 0..self.model.nodes.len() {
            let Some(due) = self.model.due(node).map(|fired| fired.when) else {
                continue;
            };
            if due.from < self.model.now + HOUR / 2 && !self.soon.contains(&due) {
                self.soon.push(due);
            }
        }
    }

    /// Which of two deadlines comes first is uncertain if one of them may be at the other's instant.
    fn compare_deadlines(&self) -> Tested {
        let mut soon: Vec<_> = self.soon.iter().collect();
        soon.sort_by_key(|due| (due.from, due.to));
        let overlap = |pair: &[&When]| {
            let [a, b] = [pair[0], pair[1]];
            (a.from < a.to || b.from < b.to) && b.from <= a.to
        };
        if soon.windows(2).any(overlap) {
            return Err(TestCaseError::reject("two deadlines at one instant"));
        }
        Ok(())
    }

    /// Rejects a failure if a deadline has passed while something was compared.
    fn confirm(&mut self, result: Tested) -> Tested {
        if let Err(TestCaseError::Fail(_)) = result {
            self.tick()?;
        }
        result
    }

    /// The time of an operation that has just ended.
    fn since(&mut self, from: Instant) -> Result<When, TestCaseError> {
        self.tick()?;
        self.operations += 1;
        Ok(When {
            from,
            to: self.model.now,
            operation: self.operations,
        })
    }

    /// Waits for the next deadline, and for all that the other threads have to do then.
    fn let_pass(&mut self) {
        let now = self.model.now;
        let soon = self.soon.iter().filter(|due| due.to > now);
        let Some(mut until) = soon.map(|due| due.to).min() else {
            return;
        };
        loop {
            while Instant::now() < until {
                std::thread::yield_now();
            }
            await_the_timer();
            self.model.now = Instant::now();
            self.note_delays();
            let passed = self.soon.iter().filter(|due| due.from <= self.model.now);
            match passed.map(|due| due.to).max() {
                Some(later) if later > until => until = later,
                _ => return,
            }
        }
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
        let When { from, to, .. } = fired.when;
        prop_assert!(
            (from..=to).contains(&error.at()),
            "at {:?}, not {from:?} to {to:?}: {self:?}",
            error.at()
        );
        for slot in &self.slots {
            prop_assert_eq!(
                error.is_from(slot.handle.token()),
                slot.node == fired.origin,
                "whether it is from {}: {:?}",
                slot.node,
                self
            );
        }
        Ok(())
    }

    /// Compares what `Debug` and `Display` show, which changes nothing.
    fn compare_texts(&mut self, slot: usize) -> Tested {
        let token = self.slots[slot].handle.token();
        let (debug, display) = (format!("{token:?}"), token.to_string());
        self.tick()?;
        let is_cancelled = debug.ends_with("cancelled)");
        let expected = self.model.cause(self.slots[slot].node);
        prop_assert_eq!(is_cancelled, expected.is_some(), "{}: {:?}", debug, self);
        let message = match expected.map(|fired| fired.why) {
            None => "(not cancelled)".to_owned(),
            Some(Why::Cancelled) => "(cancelled)".to_owned(),
            Some(Why::Reason(reason)) => format!("(cancelled: {reason})"),
            Some(Why::Condition) => "(the cancellation condition was satisfied)".to_owned(),
            Some(Why::Timeout) => "has expired)".to_owned(),
            Some(Why::Idle) => {
                prop_assert!(display.contains("(idle for "), "{}: {:?}", display, self);
                ")".to_owned()
            }
            Some(Why::Counter(limit)) => format!("(the counter of {limit} checks is used up)"),
        };
        prop_assert!(display.ends_with(&message), "{}: {:?}", display, self);
        Ok(())
    }

    /// Compares everything that a peek can see.
    fn peek_at(&mut self, slot: usize) -> Tested {
        self.compare_texts(slot)?;
        let token = self.slots[slot].handle.token();
        let (error, is_cancelled) = (token.cancellation(), token.peek_cancelled());
        let (text, again) = (token.to_string(), token.cancellation());
        self.tick()?;
        let Slot { handle, node, .. } = &self.slots[slot];
        let expected = self.model.cause(*node);
        self.compare(error.as_ref(), expected.as_ref())?;
        prop_assert_eq!(is_cancelled, expected.is_some(), "{}: {:?}", node, self);
        prop_assert_eq!(&again, &error, "{}: {:?}", node, self);
        if let Some(error) = error {
            prop_assert!(text.ends_with(&format!("({error})")), "{}: {}", text, error);
        }
        let token = handle.token();
        self.compare_deadline(token.deadline(), *node)?;
        prop_assert_eq!(token.can_be_cancelled(), !self.model.is_never(*node));
        if let Handle::Counter(token) = handle {
            let Kind::Counter { limit, left, .. } = self.model.nodes[*node].kind else {
                return Err(TestCaseError::fail("a counter of another kind"));
            };
            prop_assert_eq!(
                (token.remaining(), token.limit()),
                (left, limit),
                "{:?}",
                self
            );
        }
        Ok(())
    }

    fn compare_deadline(&self, deadline: Option<Instant>, node: usize) -> Tested {
        let expected = self.model.deadline(node);
        let is_expected = match (deadline, expected) {
            (Some(at), Some((from, to))) => (from..=to).contains(&at),
            (deadline, expected) => deadline.is_none() && expected.is_none(),
        };
        prop_assert!(is_expected, "{deadline:?}, not {expected:?}: {self:?}");
        Ok(())
    }

    /// What must hold after every operation without asking any token.
    fn compare_calls(&mut self) -> Tested {
        self.tick()?;
        self.compare_deadlines()?;
        for condition in &self.conditions {
            let Kind::Condition { calls, .. } = self.model.nodes[condition.node].kind else {
                return Err(TestCaseError::fail("a condition of another kind"));
            };
            let real = condition.calls.load(Ordering::SeqCst);
            prop_assert_eq!(real, calls, "calls of {}: {:?}", condition.node, self);
        }
        for slot in &self.slots {
            let expected = usize::from(self.model.cause(slot.node).is_some());
            for waiter in &slot.waiters {
                let (what, notified) = match waiter {
                    Waiter::Callback { calls, .. } => ("callback", &**calls),
                    Waiter::Waker { task, .. } => ("waker", &task.0),
                };
                let notified = notified.load(Ordering::SeqCst);
                prop_assert_eq!(notified, expected, "{} of {}: {:?}", what, slot.node, self);
            }
        }
        for Detached { node, calls } in &self.detached {
            let expected = usize::from(self.model.cause(*node).is_some());
            let calls = calls.load(Ordering::SeqCst);
            prop_assert_eq!(calls, expected, "detached callback of {}: {:?}", node, self);
        }
        Ok(())
    }

    fn peek_at_all(&mut self) -> Tested {
        for slot in 0..self.slots.len() {
            self.peek_at(slot)?;
        }
        for a in &self.slots {
            for b in &self.slots {
                let same =
                    a.node == b.node || self.model.is_never(a.node) && self.model.is_never(b.node);
                prop_assert_eq!(a.handle.token() == b.handle.token(), same);
            }
        }
        Ok(())
    }

    fn create(&mut self, op: &Op) -> Tested {
        let from = Instant::now();
        let (handle, kind) = match *op {
            Op::Simple => (Handle::Simple(SimpleToken::new()), Kind::Plain),
            Op::Condition { met } => {
                let kind = Kind::Condition {
                    met,
                    calls: 0,
                    is_asked: false,
                };
                let met = Arc::new(AtomicBool::new(met));
                let calls = Arc::<AtomicUsize>::default();
                let token = ConditionToken::new({
                    let (met, calls) = (met.clone(), calls.clone());
                    move || {
                        calls.fetch_add(1, Ordering::SeqCst);
                        met.load(Ordering::SeqCst)
                    }
                });
                let node = self.model.nodes.len();
                self.conditions.push(RealCondition { met, calls, node });
                (Handle::Condition(token.poll_interval(HOUR)), kind)
            }
            Op::Counter { limit, direct_only } => {
                let kind = Kind::Counter {
                    limit,
                    left: limit,
                    direct_only,
                };
                let mut token = CounterToken::new(limit);
                if direct_only {
                    token = token.direct_only();
                }
                (Handle::Counter(token), kind)
            }
            Op::Deadline(deadline) => {
                let token = self.timeout(deadline);
                let kind = Kind::Deadline(token.deadline());
                (Handle::Timeout(token), kind)
            }
            Op::Idle(idle) => {
                let token = self.idle(idle);
                let kind = Kind::Idle(token.deadline());
                (Handle::Idle(token), kind)
            }
            Op::Default => (Handle::Default(DefaultToken::new()), Kind::Never),
            _ => (Handle::Token(Token::never()), Kind::Never),
        };
        let when = self.since(from)?;
        let node = self.model.add(kind, &[], when);
        self.add(handle, node);
        Ok(())
    }

    fn idle(&mut self, idle: Idle) -> IdleToken {
        match idle {
            Idle::AtOnce => IdleToken::new(Duration::ZERO),
            Idle::SoonAfter(millis) => {
                let token = IdleToken::new(Duration::from_millis(millis));
                self.soon.extend(token.deadline().map(When::exactly));
                token
            }
            Idle::Minutes(minutes) => IdleToken::new(Duration::from_secs(60 * minutes)),
            Idle::Never => IdleToken::new(Duration::MAX),
        }
    }

    /// A touch of an IdleToken. The reference takes the new deadline over, if there is one, since nothing else tells when
    /// exactly the clock was read.
    fn touch(&mut self, slot: usize) -> Tested {
        let Slot { handle, node, .. } = &self.slots[slot];
        let (Handle::Idle(token), node) = (handle, *node) else {
            return Ok(());
        };
        let from = Instant::now();
        let before = token.deadline();
        token.touch();
        let (after, remaining) = (token.deadline(), token.remaining());
        let when = self.since(from)?;
        let expected = self.model.deadline(node).map(|(at, _)| at);
        prop_assert_eq!(before, expected, "{}: {:?}", node, self);
        prop_assert_eq!(remaining.is_some(), after.is_some());
        let has_passed = expected.is_none_or(|at| at <= when.from);
        if has_passed {
            prop_assert_eq!(after, expected, "{}: {:?}", node, self);
        } else {
            prop_assert!(after >= expected, "{}: {:?}", node, self);
        }
        let soon = after.filter(|at| *at < when.to + HOUR / 2);
        self.soon.extend(soon.map(When::exactly));
        self.model.nodes[node].kind = Kind::Idle(after);
        Ok(())
    }

    fn timeout(&mut self, deadline: Deadline) -> TimeoutToken {
        let now = Instant::now();
        match deadline {
            Deadline::AtOnce => TimeoutToken::new(Duration::ZERO),
            Deadline::Past => {
                TimeoutToken::at(now.checked_sub(Duration::from_secs(1)).unwrap_or(now))
            }
            Deadline::Soon(millis) => {
                let at = now + Duration::from_millis(millis);
                self.soon.push(When::exactly(at));
                TimeoutToken::at(at)
            }
            Deadline::InMinutes(minutes) => TimeoutToken::new(Duration::from_secs(60 * minutes)),
            Deadline::Never => TimeoutToken::new(Duration::MAX),
            Deadline::SameAs(token) => {
                let node = self.slot(token).map(|slot| self.slots[slot].node);
                let is_idle = |at: &Instant| {
                    let mut nodes = self.model.nodes.iter();
                    nodes.any(|node| matches!(node.kind, Kind::Idle(Some(idle)) if idle == *at))
                };
                // Which of the two comes first is left open.
                let at = node.and_then(|node| self.model.deadline(node));
                let at = at.filter(|(from, to)| from == to).map(|(at, _)| at);
                match at.filter(|at| !is_idle(at)) {
                    Some(at) => TimeoutToken::at(at),
                    None => TimeoutToken::new(Duration::MAX),
                }
            }
        }
    }

    fn sum(&mut self, form: Form, operands: &[Operand]) -> Tested {
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
            }
            nodes.push(node);
        }
        let all_borrowed = gone.is_empty();
        gone.sort_unstable();
        let mut moved = Vec::new();
        for slot in gone.into_iter().rev() {
            let (handle, node) = self.remove(slot);
            moved.push((node, handle.into_token()));
        }
        let tokens: Vec<Token> = tokens
            .into_iter()
            .zip(&nodes)
            .map(|(token, node)| {
                token.unwrap_or_else(|| {
                    let at = moved.iter().position(|(of, _)| of == node);
                    moved.swap_remove(at.expect("a token that moved")).1
                })
            })
            .collect();
        let from = Instant::now();
        let sum = match (form, <[Token; 2]>::try_from(tokens)) {
            (Form::AddBorrowed, Ok([a, b])) if all_borrowed => &a + &b,
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
        let when = self.since(from)?;
        let node = self.model.add(Kind::Plain, &nodes, when);
        self.add(Handle::Token(sum), node);
        Ok(())
    }

    fn delay(&mut self, slot: usize, delay: Delay) -> Tested {
        self.tick()?;
        let source = self.slots[slot].node;
        let from = Instant::now();
        let delay = match delay {
            Delay::None => Duration::ZERO,
            Delay::Soon(millis) => Duration::from_millis(millis),
            Delay::Minutes(minutes) => Duration::from_secs(60 * minutes),
            Delay::Forever => Duration::MAX,
        };
        let delayed = |token: &Token| Handle::Token(token.delayed(delay));
        if delay.is_zero() || self.model.is_never(source) {
            let child = delayed(self.slots[slot].handle.token());
            let when = self.since(from)?;
            let node = self.model.add(Kind::Plain, &[source], when);
            self.add(child, node);
            return Ok(());
        }
        let handle = self.begin_waiting(slot, delayed)?;
        if let Some(handle) = handle {
            let when = self.since(from)?;
            let node = self.model.add(Kind::Delayed { source, delay }, &[], when);
            self.add(handle, node);
        }
        Ok(())
    }

    fn apply(&mut self, op: &Op) -> Tested {
        let new = self.slots.len() < self.limit;
        match op {
            Op::Simple
            | Op::Condition { .. }
            | Op::Counter { .. }
            | Op::Deadline(_)
            | Op::Idle(_)
            | Op::Default
            | Op::Never => {
                if new {
                    self.create(op)?;
                }
            }
            Op::Sum { form, operands } => {
                if new {
                    self.sum(*form, operands)?;
                }
            }
            Op::Delayed { token, delay } => {
                if let Some(slot) = self.slot(*token).filter(|_| new) {
                    self.delay(slot, *delay)?;
                }
            }
            Op::Meet { condition, met } => {
                if !self.conditions.is_empty() {
                    let condition = &self.conditions[condition % self.conditions.len()];
                    condition.met.store(*met, Ordering::SeqCst);
                    if let Kind::Condition { met: known, .. } =
                        &mut self.model.nodes[condition.node].kind
                    {
                        *known = *met;
                    }
                }
            }
            Op::LetPass => self.let_pass(),
            Op::Child(token)
            | Op::Clone(token)
            | Op::Drop(token)
            | Op::Touch(token)
            | Op::Cancel(token)
            | Op::CancelWith(token)
            | Op::Check(token)
            | Op::IsCancelled(token)
            | Op::KeepOn(token)
            | Op::CheckOften(token)
            | Op::Peek(token)
            | Op::PeekOften(token)
            | Op::Print(token)
            | Op::Wait(token)
            | Op::RegisterCallback(token)
            | Op::RegisterWaker(token)
            | Op::RegisterAgain(token)
            | Op::Unregister(token)
            | Op::Detach(token) => {
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
        let from = Instant::now();
        match op {
            Op::Child(_) if new => {
                let child = Handle::Simple(token.child());
                let when = self.since(from)?;
                let node = self.model.add(Kind::Plain, &[node], when);
                self.add(child, node);
            }
            Op::Clone(_) if new => {
                let second = self.slots[slot].handle.second();
                self.add(second, node);
            }
            Op::Drop(_) => drop(self.remove(slot)),
            Op::Touch(_) => self.touch(slot)?,
            Op::Cancel(_) => {
                let cancelled = token.cancel();
                let when = self.since(from)?;
                let expected = self.model.cancel(node, Why::Cancelled, when);
                prop_assert_eq!(cancelled, expected, "{}: {:?}", node, self);
            }
            Op::CancelWith(_) => {
                self.reasons += 1;
                let reason = format!("reason {}", self.reasons);
                let cancelled = token.cancel_with(reason.clone());
                let when = self.since(from)?;
                let expected = self.model.cancel(node, Why::Reason(reason), when);
                prop_assert_eq!(cancelled, expected, "{}: {:?}", node, self);
            }
            Op::Check(_) => {
                let error = token.check().err();
                let when = self.since(from)?;
                let expected = self.model.check(node, when);
                self.compare(error.as_ref(), expected.as_ref())?;
            }
            Op::IsCancelled(_) => self.is_cancelled(slot, |token| token.is_cancelled())?,
            Op::KeepOn(_) => self.is_cancelled(slot, |token| !token.keep_on())?,
            Op::CheckOften(_) => {
                for _ in 0..150 {
                    self.is_cancelled(slot, |token| token.is_cancelled())?;
                }
            }
            Op::Peek(_) => self.peek_at(slot)?,
            Op::PeekOften(_) => {
                let cancelled = (0..150).filter(|_| token.peek_cancelled()).count();
                self.tick()?;
                let expected = self.model.cause(node).map_or(0, |_| 150);
                prop_assert_eq!(cancelled, expected, "{}: {:?}", node, self);
            }
            Op::Print(_) => self.compare_texts(slot)?,
            Op::Wait(_) => {
                let error = token.wait_timeout(Duration::ZERO);
                let when = self.since(from)?;
                let expected = self.model.ask(node, when);
                self.compare(error.as_ref(), expected.as_ref())?;
            }
            Op::RegisterCallback(_) => {
                self.register(slot, |token| {
                    let calls = Arc::<AtomicUsize>::default();
                    let registration = token.on_cancel({
                        let calls = calls.clone();
                        move |_| {
                            calls.fetch_add(1, Ordering::SeqCst);
                        }
                    });
                    Waiter::Callback {
                        registration,
                        calls,
                    }
                })?;
            }
            Op::RegisterWaker(_) => {
                self.register(slot, |token| {
                    let task = Arc::<Count>::default();
                    Waiter::Waker {
                        registration: token.register_owned(&Waker::from(task.clone())),
                        task,
                    }
                })?;
            }
            Op::RegisterAgain(_) => {
                if let Some(Waiter::Waker { registration, task }) =
                    self.slots[slot].waiters.last_mut()
                {
                    // Another waker for the same task.
                    let is_registered = registration.register(&Waker::from(task.clone()));
                    self.tick()?;
                    let expected = self.model.cause(node).is_none();
                    prop_assert_eq!(is_registered, expected, "{}: {:?}", node, self);
                }
            }
            Op::Unregister(_) => match self.slots[slot].waiters.pop() {
                Some(Waiter::Callback {
                    registration,
                    calls,
                }) => {
                    let is_called = !registration.unregister();
                    let expected = self.model.cause(node).is_some();
                    prop_assert_eq!(is_called, expected, "{}: {:?}", node, self);
                    prop_assert_eq!(Arc::strong_count(&calls), 1, "the callback is left");
                }
                Some(Waiter::Waker { registration, task }) => {
                    drop(registration);
                    prop_assert_eq!(Arc::strong_count(&task), 1, "the waker is left");
                }
                None => {}
            },
            Op::Detach(_) => match self.slots[slot].waiters.pop() {
                Some(Waiter::Callback {
                    registration,
                    calls,
                }) => {
                    registration.detach();
                    self.detached.push(Detached { node, calls });
                }
                other => self.slots[slot].waiters.extend(other),
            },
            _ => {}
        }
        Ok(())
    }

    /// A check.
    fn is_cancelled(&mut self, slot: usize, check: fn(&Token) -> bool) -> Tested {
        let from = Instant::now();
        let is_cancelled = check(self.slots[slot].handle.token());
        let when = self.since(from)?;
        let node = self.slots[slot].node;
        let expected = self.model.check(node, when).is_some();
        prop_assert_eq!(is_cancelled, expected, "{}: {:?}", node, self);
        Ok(())
    }

    fn register(&mut self, slot: usize, register: fn(&Token) -> Waiter) -> Tested {
        let waiter = self.begin_waiting(slot, register)?;
        self.slots[slot].waiters.extend(waiter);
        Ok(())
    }

    /// Registers something that waits for the token.
    fn begin_waiting<W>(
        &mut self,
        slot: usize,
        register: impl FnOnce(&Token) -> W,
    ) -> Result<Option<W>, TestCaseError> {
        self.tick()?;
        let node = self.slots[slot].node;
        let unasked = self.model.unasked(node);
        if unasked.len() > 1 && unasked.iter().any(|(_, is_met)| *is_met) {
            // How many are called before the first satisfied one has cancelled the token is left open.
            return Ok(None);
        }
        let from = Instant::now();
        let waiter = register(self.slots[slot].handle.token());
        if !unasked.is_empty() {
            await_the_background();
        }
        let when = self.since(from)?;
        self.model.register(node, when);
        Ok(Some(waiter))
    }

    /// Drops everything: what conditions and callbacks own must be gone then, unless a token goes on by itself.
    fn end(mut self) -> Tested {
        while !self.detached.is_empty() && self.soon.iter().any(|due| due.to > self.model.now) {
            self.let_pass();
        }
        while !self.slots.is_empty() {
            drop(self.remove(self.slots.len() / 2));
        }
        if !self.soon.is_empty() {
            // The timer's thread may have the last handle of a token whose deadline passes just now.
            await_the_timer();
        }
        let result = self.compare_calls();
        self.confirm(result)?;
        let model = &self.model;
        let kept: Vec<_> = self
            .detached
            .iter()
            .flat_map(|detached| model.kept(detached.node))
            .collect();
        for condition in &self.conditions {
            let is_gone = || Arc::strong_count(&condition.met) == 1;
            let is_kept = kept.contains(&condition.node);
            if !is_gone() && !is_kept {
                // The background thread may be calling it, and drops it afterwards.
                await_the_background();
            }
            prop_assert_eq!(is_gone(), !is_kept, "a condition is left");
        }
        for Detached { node, calls } in &self.detached {
            let is_gone = Arc::strong_count(calls) == 1;
            if model.cause(*node).is_some() {
                prop_assert!(is_gone, "a callback is left after its call");
            } else if model.goes_on(*node) {
                prop_assert!(!is_gone, "a callback is lost");
            } else if !model.reach(*node).iter().any(|node| kept.contains(node)) {
                prop_assert!(is_gone, "a callback is left that nothing can call");
            }
        }
        Ok(())
    }
}

/// Longer than any test runs.
const HOUR: Duration = Duration::from_secs(3600);

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
        // Of deadlines that pass at the wrong moment.
        max_global_rejects: 10 * cases,
        ..Config::default()
    });
    let result = runner.run(&ops, |ops| {
        let mut world = World::new(limit);
        for op in &ops {
            let result = world.apply(op).and_then(|()| after_each(&mut world));
            world.confirm(result)?;
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
        let ops = prop::collection::vec(op(), 1..60);
        run(3000, ops, 20, World::peek_at_all);
    });
}

#[test]
fn a_token_that_is_checked_late_answers_as_the_reference_does() {
    watchdog("random operations, nothing else asked", || {
        let ops = prop::collection::vec(op(), 1..40);
        run(10_000, ops, 10, |_| Ok(()));
    });
}

#[test]
fn deadlines_pass_as_they_do_in_the_reference() {
    watchdog("random operations while deadlines pass", || {
        let ops = prop::collection::vec(op_in_time(), 1..60);
        run(1000, ops, 15, |_| Ok(()));
    });
}

#[test]
fn of_several_deadlines_at_one_instant_the_leftmost_wins() {
    watchdog("random operations, deadlines at one instant", || {
        let ops = prop::collection::vec(op_at_once(), 1..40);
        run(3000, ops, 10, |_| Ok(()));
    });
}
