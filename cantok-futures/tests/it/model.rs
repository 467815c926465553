//! Random programs on one thread, of tokens and of everything that waits for them, against a reference that walks the
//! graph at every question.

use std::task::Poll;
use std::time::Duration;

use crate::support::inside::{Inside, InsideFuture, InsideStream};
use crate::support::orders::{Ordered, ordered};
use cantok_core::{CounterToken, SimpleToken, TimeoutToken, Token};
use cantok_futures::prelude::*;
use cantok_futures::{Cancelled, stream};
use cantok_testkit::Counted;
use cantok_testkit::watchdog;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};

/// What waits.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Cancelled,
    Future,
    FutureFirst,
    Stream,
    TryStream,
}

/// Numbers stand for one of those that there are.
#[derive(Clone, Debug)]
enum Step {
    Child(usize),
    Sum(Vec<usize>),
    Counter(u64),
    Make(Kind, usize),
    Poll { job: usize, task: usize },
    Put(usize),
    End(usize),
    Wake(usize),
    CancelInside { job: usize, token: usize },
    Cancel(usize),
    Check(usize),
    Peek(usize),
    Drop(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let number = || 0..1_000_usize;
    let kind = prop_oneof![
        3 => Just(Kind::Cancelled),
        2 => Just(Kind::Future),
        2 => Just(Kind::FutureFirst),
        1 => Just(Kind::Stream),
        2 => Just(Kind::TryStream),
    ];
    let step = prop_oneof![
        2 => number().prop_map(Step::Child),
        3 => vec(number(), 0..4).prop_map(Step::Sum),
        2 => (0..6_u64).prop_map(Step::Counter),
        10 => (kind, number()).prop_map(|(kind, token)| Step::Make(kind, token)),
        30 => (number(), 0..TASKS).prop_map(|(job, task)| Step::Poll { job, task }),
        6 => number().prop_map(Step::Put),
        1 => number().prop_map(Step::End),
        2 => number().prop_map(Step::Wake),
        1 => (number(), number()).prop_map(|(job, token)| Step::CancelInside { job, token }),
        3 => number().prop_map(Step::Cancel),
        5 => number().prop_map(Step::Check),
        2 => number().prop_map(Step::Peek),
        3 => number().prop_map(Step::Drop),
    ];
    vec(step, 0..80)
}

const TASKS: usize = 3;

/// What came of a poll.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Answer {
    Pending,
    Item(u32),
    /// The end of what is inside, or of a stream that ends quietly.
    End,
    Cancelled,
}

/// The reference.
mod reference {
    use super::{Answer, Kind, TASKS};
    use std::collections::VecDeque;

    pub(super) struct Node {
        pub(super) parents: Vec<usize>,
        pub(super) units: Option<u64>,
        pub(super) is_never: bool,
        pub(super) is_cancelled: bool,
    }

    #[derive(Clone, Copy, PartialEq)]
    pub(super) enum Stage {
        /// The next poll is a check.
        Idle,
        /// Polls peek.
        Asked,
        Ended,
    }

    pub(super) struct Job {
        pub(super) kind: Kind,
        pub(super) token: usize,
        pub(super) stage: Stage,
        /// The task that the token is to wake.
        pub(super) registered: Option<usize>,
        pub(super) items: VecDeque<u32>,
        pub(super) has_ended: bool,
        pub(super) cancels: Option<usize>,
        /// The task that what is inside is to wake.
        pub(super) inside_wakes: Option<usize>,
        pub(super) polls: usize,
        /// Dropped, or done.
        pub(super) is_gone: bool,
    }

    #[derive(Default)]
    pub(super) struct Model {
        pub(super) nodes: Vec<Node>,
        pub(super) jobs: Vec<Job>,
        pub(super) wakes: [usize; TASKS],
    }

    impl Model {
        pub(super) fn add(&mut self, parents: Vec<usize>, units: Option<u64>) {
            self.nodes.push(Node {
                parents,
                units,
                is_never: false,
                is_cancelled: units == Some(0),
            });
        }

        /// All that a token derives from, itself first, each once and in the order of operands.
        fn reach(&self, token: usize) -> Vec<usize> {
            fn visit(model: &Model, token: usize, reach: &mut Vec<usize>) {
                if !reach.contains(&token) {
                    reach.push(token);
                    let parents = model.nodes[token].parents.iter();
                    parents.for_each(|&parent| visit(model, parent, reach));
                }
            }
            let mut reach = Vec::new();
            visit(self, token, &mut reach);
            reach
        }

        pub(super) fn is_cancelled(&self, token: usize) -> bool {
            let mut reach = self.reach(token).into_iter();
            reach.any(|node| self.nodes[node].is_cancelled)
        }

        fn counters(&self, token: usize) -> Vec<usize> {
            let reach = self.reach(token).into_iter();
            reach
                .filter(|&node| self.nodes[node].units.is_some())
                .collect()
        }

        /// Cancels, and wakes the tasks that wait for that. Whether this is what did it.
        pub(super) fn cancel(&mut self, token: usize) -> bool {
            if self.nodes[token].is_never || self.is_cancelled(token) {
                return false;
            }
            let waits = |model: &Model| -> Vec<bool> {
                let jobs = model.jobs.iter();
                jobs.map(|job| !model.is_cancelled(job.token)).collect()
            };
            let before = waits(self);
            self.nodes[token].is_cancelled = true;
            let after = waits(self);
            for (number, job) in self.jobs.iter().enumerate() {
                if let (Some(task), true, false) = (job.registered, before[number], after[number]) {
                    self.wakes[task] += 1;
                }
            }
            true
        }

        /// A counter without a unit refuses the check, and is cancelled by that. Whether there is one.
        fn is_refused(&mut self, token: usize) -> bool {
            let counters = self.counters(token);
            let zero = counters
                .into_iter()
                .find(|&counter| self.nodes[counter].units == Some(0));
            zero.is_some_and(|counter| {
                self.cancel(counter);
                true
            })
        }

        /// Whether the token is cancelled.
        pub(super) fn check(&mut self, token: usize) -> bool {
            if self.is_cancelled(token) || self.is_refused(token) {
                return true;
            }
            for counter in self.counters(token) {
                self.nodes[counter].units = self.nodes[counter].units.map(|units| units - 1);
            }
            // The last unit is the check's own.
            false
        }

        pub(super) fn poll(&mut self, number: usize, task: usize) -> Answer {
            let token = self.jobs[number].token;
            if self.jobs[number].kind == Kind::Cancelled {
                if self.is_cancelled(token) {
                    self.jobs[number].registered = None;
                    return Answer::Cancelled;
                }
                self.jobs[number].registered = Some(task);
                return Answer::Pending;
            }
            let is_stopped = match self.jobs[number].stage {
                Stage::Ended => return Answer::End,
                Stage::Idle => {
                    self.jobs[number].stage = Stage::Asked;
                    !self.is_known_to_be_over(number) && self.check(token)
                }
                Stage::Asked => {
                    self.jobs[number].kind != Kind::FutureFirst && self.is_cancelled(token)
                }
            };
            if !is_stopped {
                let answer = self.poll_inside(number, task);
                if answer != Answer::Pending {
                    self.jobs[number].registered = None;
                    self.end(number, answer == Answer::End);
                    return answer;
                }
                if !self.is_cancelled(token) {
                    self.jobs[number].registered = Some(task);
                }
            }
            if !self.is_cancelled(token) {
                return Answer::Pending;
            }
            self.jobs[number].registered = None;
            self.end(number, true);
            match self.jobs[number].kind {
                Kind::Stream => Answer::End,
                _ => Answer::Cancelled,
            }
        }

        /// One kind of stream tells its length.
        fn is_known_to_be_over(&self, number: usize) -> bool {
            let job = &self.jobs[number];
            job.kind == Kind::TryStream && job.has_ended && job.items.is_empty()
        }

        /// What is inside has yielded something, or the token has ended it.
        fn end(&mut self, number: usize, is_end: bool) {
            let job = &mut self.jobs[number];
            match job.kind {
                Kind::Stream | Kind::TryStream if is_end => job.stage = Stage::Ended,
                Kind::Stream | Kind::TryStream => job.stage = Stage::Idle,
                Kind::Cancelled | Kind::Future | Kind::FutureFirst => self.drop(number),
            }
        }

        fn poll_inside(&mut self, number: usize, task: usize) -> Answer {
            if let Some(token) = self.jobs[number].cancels.take() {
                self.cancel(token);
            }
            let job = &mut self.jobs[number];
            job.polls += 1;
            match job.items.pop_front() {
                Some(item) => Answer::Item(item),
                None if job.has_ended => Answer::End,
                None => {
                    job.inside_wakes = Some(task);
                    Answer::Pending
                }
            }
        }

        pub(super) fn wake(&mut self, number: usize) {
            if let Some(task) = self.jobs[number].inside_wakes.take() {
                self.wakes[task] += 1;
            }
        }

        pub(super) fn drop(&mut self, number: usize) {
            let job = &mut self.jobs[number];
            job.registered = None;
            job.inside_wakes = None;
            job.is_gone = true;
        }

        /// Whether that task's waker is held: by a token that has yet to wake it, or by the inner future.
        pub(super) fn is_held(&self, task: usize) -> bool {
            self.jobs.iter().any(|job| {
                let is_to_be_told =
                    !self.nodes[job.token].is_never && !self.is_cancelled(job.token);
                is_to_be_told && job.registered == Some(task) || job.inside_wakes == Some(task)
            })
        }
    }
}

use reference::{Job, Model, Stage};

/// What is tried out.
enum Real {
    Cancelled(Cancelled),
    Future(Ordered<InsideFuture>),
    Stream(stream::WithToken<InsideStream>),
    TryStream(stream::TryWithToken<InsideStream>),
}

impl Real {
    fn new(kind: Kind, token: &Token, inside: &Inside) -> Self {
        match kind {
            Kind::Cancelled => Real::Cancelled(token.cancelled_owned()),
            Kind::Future => Real::Future(ordered(inside.future(), token, false)),
            Kind::FutureFirst => Real::Future(ordered(inside.future(), token, true)),
            Kind::Stream => Real::Stream(inside.stream().with_token(token)),
            Kind::TryStream => Real::TryStream(inside.stream().try_with_token(token)),
        }
    }

    fn poll(&mut self, task: &Counted) -> Answer {
        let item = |item: Option<u32>| item.map_or(Answer::End, Answer::Item);
        let answer = match self {
            Real::Cancelled(cancelled) => task.poll(cancelled).map(|_| Answer::Cancelled),
            Real::Future(future) => task
                .poll(future)
                .map(|output| output.map_or(Answer::Cancelled, item)),
            Real::Stream(stream) => task.poll_next(stream).map(item),
            Real::TryStream(stream) => task.poll_next(stream).map(|next| match next {
                Some(Ok(next)) => Answer::Item(next),
                Some(Err(_)) => Answer::Cancelled,
                None => Answer::End,
            }),
        };
        match answer {
            Poll::Ready(answer) => answer,
            Poll::Pending => Answer::Pending,
        }
    }
}

struct Program {
    model: Model,
    tokens: Vec<Token>,
    counters: Vec<(usize, CounterToken)>,
    /// `None`: dropped, or a future that was ready.
    jobs: Vec<(Inside, Option<Real>)>,
    tasks: [Counted; TASKS],
    items: u32,
}

impl Program {
    /// With a token that is cancelled by itself alone, one with a deadline that does not pass, and one that is never
    /// cancelled.
    fn new() -> Self {
        let mut program = Program {
            model: Model::default(),
            tokens: Vec::new(),
            counters: Vec::new(),
            jobs: Vec::new(),
            tasks: [(); TASKS].map(|()| Counted::new()),
            items: 0,
        };
        let hour = Duration::from_secs(3600);
        for token in [
            SimpleToken::new().into(),
            TimeoutToken::new(hour).into(),
            Token::never(),
        ] {
            program.add(token, Vec::new(), None);
        }
        program.model.nodes[2].is_never = true;
        program
    }

    fn add(&mut self, token: Token, parents: Vec<usize>, units: Option<u64>) {
        self.tokens.push(token);
        self.model.add(parents, units);
    }

    fn run(&mut self, step: Step) -> Result<(), TestCaseError> {
        let tokens = self.tokens.len();
        match step {
            Step::Child(parent) => {
                let parent = parent % tokens;
                let child = self.tokens[parent].child().into();
                self.add(child, vec![parent], None);
            }
            Step::Sum(operands) => {
                let operands: Vec<_> = operands.into_iter().map(|token| token % tokens).collect();
                let sum = Token::any(operands.iter().map(|&token| &self.tokens[token]));
                self.add(sum, operands, None);
            }
            Step::Counter(units) => {
                let counter = CounterToken::new(units);
                self.add(Token::from(&counter), Vec::new(), Some(units));
                self.counters.push((tokens, counter));
            }
            Step::Make(kind, token) => {
                let token = token % tokens;
                let mut inside = Inside::default();
                if kind == Kind::TryStream {
                    inside = inside.knowing_its_length();
                }
                let real = Real::new(kind, &self.tokens[token], &inside);
                self.jobs.push((inside, Some(real)));
                self.model.jobs.push(Job {
                    kind,
                    token,
                    stage: Stage::Idle,
                    registered: None,
                    items: Default::default(),
                    has_ended: false,
                    cancels: None,
                    inside_wakes: None,
                    polls: 0,
                    is_gone: false,
                });
            }
            Step::Cancel(token) => {
                let token = token % tokens;
                prop_assert_eq!(self.tokens[token].cancel(), self.model.cancel(token));
            }
            Step::Check(token) => {
                let token = token % tokens;
                prop_assert_eq!(self.tokens[token].is_cancelled(), self.model.check(token));
            }
            Step::Peek(token) => {
                let token = token % tokens;
                let cause = self.tokens[token].cancellation();
                prop_assert_eq!(cause.is_some(), self.model.is_cancelled(token));
            }
            Step::Poll { job, .. }
            | Step::Put(job)
            | Step::End(job)
            | Step::Wake(job)
            | Step::CancelInside { job, .. }
            | Step::Drop(job) => {
                if let Some(job) = job.checked_rem(self.jobs.len()) {
                    self.run_job(job, step)?;
                }
            }
        }
        Ok(())
    }

    fn run_job(&mut self, job: usize, step: Step) -> Result<(), TestCaseError> {
        let (inside, real) = &mut self.jobs[job];
        if self.model.jobs[job].is_gone {
            return Ok(());
        }
        match (step, &mut *real) {
            (Step::Poll { task, .. }, Some(polled)) => {
                let answer = polled.poll(&self.tasks[task]);
                prop_assert_eq!(answer, self.model.poll(job, task));
                if matches!(polled, Real::Future(_)) && answer != Answer::Pending {
                    // Before the whole is.
                    prop_assert!(inside.is_dropped());
                    *real = None;
                }
            }
            (Step::Put(_), _) => {
                self.items += 1;
                self.model.jobs[job].items.push_back(self.items);
                inside.put(self.items);
                self.model.wake(job);
            }
            (Step::End(_), _) => {
                self.model.jobs[job].has_ended = true;
                inside.end();
                self.model.wake(job);
            }
            (Step::Wake(_), _) => {
                inside.wake();
                self.model.wake(job);
            }
            (Step::CancelInside { token, .. }, _) => {
                let token = token % self.tokens.len();
                let cancelled = self.tokens[token].clone();
                inside.at_next_poll(move || {
                    cancelled.cancel();
                });
                self.model.jobs[job].cancels = Some(token);
            }
            (Step::Drop(_), _) => {
                *real = None;
                self.model.drop(job);
            }
            _ => {}
        }
        Ok(())
    }

    fn compare(&self) -> Result<(), TestCaseError> {
        for (number, task) in self.tasks.iter().enumerate() {
            prop_assert_eq!(task.wakes(), self.model.wakes[number], "task {}", number);
            prop_assert_eq!(
                task.is_held(),
                self.model.is_held(number),
                "task {}",
                number
            );
        }
        for (number, counter) in &self.counters {
            let units = self.model.nodes[*number].units;
            prop_assert_eq!(Some(counter.remaining()), units, "token {}", number);
        }
        for (number, (inside, _)) in self.jobs.iter().enumerate() {
            let job = &self.model.jobs[number];
            let seen = (inside.polls(), inside.left());
            prop_assert_eq!(seen, (job.polls, job.items.len()), "job {}", number);
        }
        Ok(())
    }
}

#[test]
fn everything_that_waits_does_what_the_reference_says() {
    watchdog("random programs", || {
        let mut runner = TestRunner::new(Config {
            cases: 4_000,
            failure_persistence: None,
            ..Config::default()
        });
        let result = runner.run(&steps(), |steps| {
            let mut program = Program::new();
            for step in steps {
                program.run(step)?;
                program.compare()?;
            }
            for (number, token) in program.tokens.iter().enumerate() {
                let is_cancelled = program.model.is_cancelled(number);
                prop_assert_eq!(
                    token.cancellation().is_some(),
                    is_cancelled,
                    "token {}",
                    number
                );
            }
            program.jobs.clear();
            prop_assert!(program.tasks.iter().all(|task| !task.is_held()));
            Ok(())
        });
        if let Err(error) = result {
            panic!("{error}");
        }
    });
}
