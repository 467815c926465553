//! Models of what happens between threads, run by loom over every interleaving:
//! `cargo test --manifest-path models/Cargo.toml -p cantok-core`.
//!
//! Those that need more than the public names stand beside what they are about, in `cantok-core/src/node/arm.rs`.

use cantok_core::adapter::{TokenAdapterExt, WakerRegistration};
use cantok_core::{CounterToken, SimpleToken, Token};
use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;

/// Up to three preemptions: seconds instead of days. `LOOM_MAX_PREEMPTIONS` asks for more.
fn model(f: impl Fn() + Send + Sync + 'static) {
    model_with(3, f);
}

fn model_with(preemptions: usize, f: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(preemptions));
    // Arming a wide sum takes many steps.
    builder.max_branches = builder.max_branches.max(10_000);
    builder.check(f);
}

/// A task that counts how often it is woken.
struct Woken(AtomicUsize);

impl Woken {
    fn new() -> std::sync::Arc<Self> {
        std::sync::Arc::new(Woken(AtomicUsize::new(0)))
    }
}

impl std::task::Wake for Woken {
    fn wake(self: std::sync::Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Guarantee 4: a thread that finds a token cancelled finds its cause.
#[test]
fn cancelled_implies_a_cause() {
    model(|| {
        let token = SimpleToken::new();
        let other = token.clone();
        let canceller = thread::spawn(move || other.cancel());
        if token.is_cancelled() {
            assert!(token.cancellation().is_some());
        }
        assert!(canceller.join().unwrap());
        assert!(token.is_cancelled());
    });
}

/// The same of a peek, which sees what was written before the cancel too.
#[test]
fn a_peek_that_finds_a_cancel_finds_its_cause() {
    for is_armed in [false, true] {
        model(move || {
            let operand = SimpleToken::new();
            let sum = &operand + SimpleToken::new();
            let sum = if is_armed { armed(sum) } else { sum };
            let written = Arc::new(AtomicUsize::new(0));
            let canceller = thread::spawn({
                let written = Arc::clone(&written);
                move || {
                    written.store(1, Ordering::Relaxed);
                    operand.cancel()
                }
            });
            if sum.peek_cancelled() {
                assert!(sum.cancellation().is_some());
                assert_eq!(written.load(Ordering::Relaxed), 1);
            }
            canceller.join().unwrap();
            assert!(sum.peek_cancelled());
        });
    }
}

/// Guarantee 1: of two cancels one does it, and its reason is the cause for all.
#[test]
fn one_of_two_cancels_wins() {
    model(|| {
        let token = SimpleToken::new();
        let other = token.clone();
        let rival = thread::spawn(move || (other.cancel_with("a"), other.cancellation()));
        let won = token.cancel_with("b");
        let cause = token.cancellation();
        let (rival_won, rival_cause) = rival.join().unwrap();
        assert!(won ^ rival_won);
        assert_eq!(cause.unwrap().cause(), rival_cause.unwrap().cause(),);
    });
}

/// Invariant 3: a cancel wakes a thread that is just beginning to wait.
#[test]
fn no_wake_up_is_lost() {
    model(|| {
        let token = SimpleToken::new();
        let other = token.clone();
        let canceller = thread::spawn(move || other.cancel());
        token.wait();
        canceller.join().unwrap();
    });
}

/// Spawns two threads that do the same with one token.
fn spawn_two<R: 'static>(
    token: &SimpleToken,
    f: fn(SimpleToken) -> R,
) -> [thread::JoinHandle<R>; 2] {
    [(); 2].map(|()| {
        let token = token.clone();
        thread::spawn(move || f(token))
    })
}

/// A thread that waits alone is woken by the cancel that wins, which the other one overtakes at any step.
#[test]
fn one_of_two_cancels_wakes_the_only_waiter() {
    model(|| {
        let token = SimpleToken::new();
        let rivals = spawn_two(&token, |token| token.cancel());
        let error = token.wait();
        assert_eq!(token.cancellation(), Some(error));
        let [one, other] = rivals.map(|rival| rival.join().unwrap());
        assert!(one ^ other);
    });
}

/// The second one begins to wait while the cancel wakes the first.
#[test]
fn one_cancel_wakes_two_waiters() {
    model(|| {
        let token = SimpleToken::new();
        let waiters = spawn_two(&token, |token| token.wait());
        assert!(token.cancel());
        let [one, other] = waiters.map(|waiter| waiter.join().unwrap());
        assert_eq!(one, other);
    });
}

/// The same through a sum, which links itself to its operands first.
#[test]
fn no_wake_up_is_lost_through_a_sum() {
    model(|| {
        let operand = SimpleToken::new();
        let sum = &operand + SimpleToken::new();
        let canceller = thread::spawn(move || operand.cancel());
        sum.wait();
        canceller.join().unwrap();
    });
}

/// A counter cancels by the check that it refuses, whatever waits for it: the last unit wakes nothing.
#[test]
fn the_refused_check_wakes_what_waits() {
    model(|| {
        let counter = CounterToken::new(2);
        assert!(counter.keep_on());
        let other = counter.clone();
        let woken = Woken::new();
        let rival = thread::spawn(move || (other.keep_on(), other.keep_on()));
        let _task = counter.register(&woken.clone().into());
        assert_eq!(rival.join().unwrap(), (true, false));
        assert_eq!(woken.0.load(Ordering::Relaxed), 1);
    });
}

/// What waits for a counter never cancels it.
#[test]
fn a_wait_leaves_a_counter_alone() {
    model(|| {
        let counter = CounterToken::new(1);
        let flag = SimpleToken::new();
        let sum = &counter + &flag;
        let canceller = thread::spawn(move || flag.cancel());
        sum.wait();
        drop(sum);
        assert!(counter.keep_on());
        assert!(counter.cancellation().is_none());
        canceller.join().unwrap();
    });
}

/// Units taken several at a time are exact: no check is refused before all are taken.
#[test]
fn a_counter_is_exact_over_blocks() {
    model(|| {
        let counter = CounterToken::new(3);
        let sum = &counter + SimpleToken::new();
        let pass_all = |token: &Token| {
            let mut passed = 0;
            while let Ok(mut allowance) = token.check_many(2) {
                passed += allowance.left();
                allowance.pass(allowance.left());
            }
            passed
        };
        let rival = thread::spawn(move || pass_all(&sum));
        let mine = pass_all(&counter);
        assert_eq!(mine + rival.join().unwrap(), 3);
        assert_eq!(counter.remaining(), 0);
    });
}

/// What a block gives back is there for others, unless one of them was refused before: that has cancelled for good.
#[test]
fn what_is_given_back_does_not_undo_a_cancel() {
    model(|| {
        let counter = CounterToken::new(2);
        let other = counter.clone();
        let rival = thread::spawn(move || other.keep_on());
        let passed = match counter.check_many(2) {
            Ok(mut allowance) => {
                allowance.pass(1);
                1
            }
            Err(_) => 0,
        };
        assert_eq!(passed, 1, "a single check leaves a unit");
        let is_refused = !rival.join().unwrap();
        assert_eq!(counter.cancellation().is_some(), is_refused);
        assert_eq!(counter.remaining(), 0);
        assert!(!counter.keep_on());
    });
}

/// The same where one of several counters is found empty before a unit of any is taken.
#[test]
fn what_is_given_back_does_not_undo_a_cancel_of_several() {
    model(|| {
        let (counter, other) = (CounterToken::new(1), CounterToken::new(9));
        let sum = &counter + &other;
        let rival = thread::spawn(move || sum.keep_on());
        let is_refused = counter.check_many(1).is_err();
        let passed = rival.join().unwrap();
        assert_eq!(counter.cancellation().is_some(), is_refused || !passed);
        assert_eq!(counter.remaining(), 0);
        assert_eq!(other.remaining(), 9 - u64::from(passed));
    });
}

/// Exactly as many checks pass as there are units.
#[test]
fn a_counter_is_exact_over_two_threads() {
    model(|| {
        let counter = CounterToken::new(2);
        let sum = &counter + SimpleToken::new();
        let other = thread::spawn(move || usize::from(sum.keep_on()) + usize::from(sum.keep_on()));
        let mine = usize::from(counter.keep_on()) + usize::from(counter.keep_on());
        assert_eq!(mine + other.join().unwrap(), 2);
    });
}

/// Invariant 2: a token that arms itself while a source is cancelled misses nothing.
#[test]
fn arming_misses_no_cancel() {
    model(|| {
        let operand = SimpleToken::new();
        let sum = &operand + SimpleToken::new();
        let canceller = thread::spawn(move || operand.cancel());
        // A registration arms at once.
        let registration = sum.on_cancel(|_| {});
        let _ = sum.is_cancelled();
        canceller.join().unwrap();
        assert!(sum.is_cancelled());
        drop(registration);
    });
}

/// Arming gives way to a cancel of the very token that arms.
#[test]
fn arming_undoes_no_cancel() {
    model(|| {
        let root = SimpleToken::new();
        let child = root.child();
        let other = child.clone();
        let canceller = thread::spawn(move || other.cancel());
        let registration = child.on_cancel(|_| {});
        assert!(canceller.join().unwrap());
        assert!(child.is_cancelled());
        drop(registration);
    });
}

/// A callback gets the cause that all threads see, even if the token and its parent are cancelled at once.
#[test]
fn a_callback_is_given_the_cause() {
    model(|| {
        let given = Arc::new(loom::sync::Mutex::new(None));
        let root = SimpleToken::new();
        let child = root.child();
        let slot = Arc::clone(&given);
        child
            .on_cancel(move |error| *slot.lock().unwrap() = Some(error.clone()))
            .detach();
        let parents = thread::spawn(move || root.cancel());
        child.cancel();
        parents.join().unwrap();
        assert_eq!(*given.lock().unwrap(), child.cancellation());
    });
}

/// Invariant 3 for a task: it is woken if it does not find the cancel.
#[test]
fn no_task_is_left_asleep() {
    model(|| {
        let woken = Woken::new();
        let root = SimpleToken::new();
        let child = root.child();
        let canceller = thread::spawn(move || root.cancel());
        let registration = child.register(&woken.clone().into());
        let is_late = child.cancellation().is_some();
        canceller.join().unwrap();
        drop(registration);
        assert!(is_late || woken.0.load(Ordering::Relaxed) == 1);
    });
}

/// The same for the task of one child among several, which the canceller takes out while it goes through the links.
#[test]
fn no_task_of_one_child_among_several_is_left_asleep() {
    model(|| {
        let woken = Woken::new();
        let root = SimpleToken::new();
        let sibling = armed(root.child());
        let child = armed(root.child());
        let canceller = thread::spawn(move || root.cancel());
        let registration = child.register(&woken.clone().into());
        let is_late = child.cancellation().is_some();
        canceller.join().unwrap();
        assert!(is_late || woken.0.load(Ordering::Relaxed) == 1);
        drop(registration);
        drop(sibling);
    });
}

/// Makes a root with two children, one of which wakes a task.
fn task_of_one_child_among_several() -> (
    SimpleToken,
    [Token; 2],
    WakerRegistration,
    std::sync::Arc<Woken>,
) {
    let woken = Woken::new();
    let root = SimpleToken::new();
    let sibling = armed(root.child());
    let child = root.child();
    let registration = child.register_owned(&woken.clone().into());
    (root, [child.into(), sibling], registration, woken)
}

/// A child that is cancelled together with its parent has one cause, and its task is woken once.
#[test]
fn the_task_of_one_child_among_several_is_woken_once() {
    model(|| {
        let (root, [child, sibling], registration, woken) = task_of_one_child_among_several();
        let canceller = thread::spawn(move || root.cancel());
        child.cancel();
        let cause = child.cancellation();
        canceller.join().unwrap();
        assert!(cause.is_some() && sibling.is_cancelled());
        assert_eq!(child.cancellation(), cause);
        assert_eq!(woken.0.load(Ordering::Relaxed), 1);
        drop(registration);
    });
}

/// A registration that ends while the parent is cancelled takes its waker back, or that is woken.
#[test]
fn the_task_of_one_child_among_several_is_woken_at_most_once() {
    model(|| {
        let (root, tokens, registration, woken) = task_of_one_child_among_several();
        let canceller = thread::spawn(move || root.cancel());
        drop(registration);
        canceller.join().unwrap();
        assert!(woken.0.load(Ordering::Relaxed) <= 1);
        assert!(tokens.iter().all(|token| token.is_cancelled()));
    });
}

/// The callback has finished or never runs, once its registration is gone.
#[test]
fn a_dropped_registration_is_done_or_never() {
    model(|| {
        let calls = Arc::new(AtomicUsize::new(0));
        let token = SimpleToken::new();
        let registration = token.on_cancel({
            let calls = Arc::clone(&calls);
            move |_| {
                calls.fetch_add(1, Ordering::Relaxed);
                thread::yield_now();
                calls.fetch_add(1, Ordering::Relaxed);
            }
        });
        let canceller = thread::spawn(move || token.cancel());
        drop(registration);
        let after = calls.load(Ordering::Relaxed);
        assert!(after == 0 || after == 2);
        canceller.join().unwrap();
        assert_eq!(calls.load(Ordering::Relaxed), after);
    });
}

/// A callback that is registered while the token is cancelled runs exactly once.
#[test]
fn a_callback_runs_exactly_once() {
    model(|| {
        let token = SimpleToken::new();
        calls_once(token.clone(), &token);
    });
}

/// A detached callback runs exactly once, even if its token goes while the parent is cancelled.
#[test]
fn a_detached_callback_outlives_its_token() {
    model(|| {
        let calls = Arc::new(AtomicUsize::new(0));
        let root = SimpleToken::new();
        let child = root.child();
        let registration = child.on_cancel({
            let calls = Arc::clone(&calls);
            move |_| {
                calls.fetch_add(1, Ordering::Relaxed);
            }
        });
        registration.detach();
        let canceller = thread::spawn(move || root.cancel());
        drop(child);
        canceller.join().unwrap();
        assert_eq!(calls.load(Ordering::Relaxed), 1);
    });
}

/// Registers a callback with `token` while `source` is cancelled.
fn calls_once(source: SimpleToken, token: &Token) {
    let calls = Arc::new(AtomicUsize::new(0));
    let canceller = thread::spawn(move || source.cancel());
    let registration = token.on_cancel({
        let calls = Arc::clone(&calls);
        move |_| {
            calls.fetch_add(1, Ordering::Relaxed);
        }
    });
    canceller.join().unwrap();
    drop(registration);
    assert_eq!(calls.load(Ordering::Relaxed), 1);
}

fn armed(token: impl Into<Token>) -> Token {
    let token = token.into();
    token.on_cancel(|_| {}).detach();
    token
}

/// Guarantee 3 for both cancellers: when a cancel returns, everything below its token is cancelled, even if the other
/// thread marked it. The tokens below are armed and watch both of them.
#[test]
fn a_cancel_returns_when_everything_below_is_marked() {
    model(|| cancel_both(SimpleToken::new(), SimpleToken::new(), 0));
}

/// The same where what lies below is reached only through the sum, because that has too many operands to be
/// flattened.
#[test]
fn a_cancel_returns_when_everything_below_a_wide_sum_is_marked() {
    model(|| cancel_both(SimpleToken::new(), SimpleToken::new(), 16));
}

fn cancel_both(left: SimpleToken, right: SimpleToken, more: usize) {
    let others: Vec<_> = (0..more).map(|_| SimpleToken::new()).collect();
    let both = [&left, &right];
    let shared = armed(Token::any(both.into_iter().chain(&others)));
    let below = armed(shared.child());
    both_find_it_cancelled(left.into(), &right, &below);
}

/// Cancels both at the same time; each finds what is below it cancelled. With reasons, so that the errors are there at
/// once: making them later would double the interleavings.
fn both_find_it_cancelled(one: Token, other: &Token, below: &Token) {
    let rival = thread::spawn({
        let below = below.clone();
        move || {
            one.cancel_with("one");
            assert!(below.is_cancelled());
        }
    });
    other.cancel_with("other");
    assert!(below.is_cancelled());
    rival.join().unwrap();
}

/// Guarantee 3 for a canceller whose token takes over its parent's cause in that moment.
#[test]
fn an_overtaken_cancel_returns_no_sooner() {
    model(|| {
        let root = SimpleToken::new();
        let child = armed(root.child());
        let others: Vec<_> = (0..16).map(|_| SimpleToken::new()).collect();
        let below = armed(Token::any(
            [&child].into_iter().chain(others.iter().map(|t| &**t)),
        ));
        both_find_it_cancelled(root.into(), &child, &below);
    });
}

/// Guarantee 3 for the second cancel of one token.
#[test]
fn a_cancel_that_comes_second_returns_no_sooner() {
    model(|| {
        let root = SimpleToken::new();
        let below = armed(root.child());
        both_find_it_cancelled(Token::from(&root), &root, &below);
    });
}

/// Guarantee 3 where one canceller comes to the same token on two ways, and the other on one of them.
#[test]
fn a_link_stays_until_everything_below_it_is_marked() {
    model_with(2, || {
        let root = SimpleToken::new();
        let child = armed(root.child());
        let others: Vec<_> = (0..16).map(|_| Token::from(SimpleToken::new())).collect();
        let both = [Token::from(&root), child.clone()];
        let sum = armed(Token::any(both.iter().chain(&others)));
        let below = armed(sum.child());
        both_find_it_cancelled(root.into(), &child, &below);
    });
}

/// Guarantees 1 and 4 where a child that takes over its parent's cause is cancelled itself at the same time.
#[test]
fn a_child_has_one_cause_also_beside_its_parents() {
    model(|| {
        let root = SimpleToken::new();
        let child = armed(root.child());
        let parents = thread::spawn(move || root.cancel_with("of the parent"));
        let reason = Arc::new(());
        let own = child.cancel_with(Reason(Arc::clone(&reason)));
        let cause = child.cancellation().unwrap();
        assert_eq!(own, cause.is_from(&child));
        assert!(parents.join().unwrap());
        assert_eq!(child.cancellation().unwrap(), cause);
        // A reason that came too late goes with the child at the latest.
        drop((child, cause));
        assert_eq!(Arc::strong_count(&reason), 1);
    });
}

#[derive(Debug)]
struct Reason(#[expect(dead_code, reason = "what counts is how long it is kept")] Arc<()>);

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a reason")
    }
}

impl std::error::Error for Reason {}

/// Guarantee 4 for a child that takes over its parent's cause, and for one below it.
#[test]
fn a_cancelled_child_has_a_cause() {
    model(|| {
        let root = SimpleToken::new();
        let child = armed(root.child());
        let below = armed(child.child());
        let canceller = thread::spawn(move || root.cancel());
        for token in [&below, &child] {
            if token.is_cancelled() {
                assert!(token.cancellation().is_some());
            }
        }
        canceller.join().unwrap();
        assert_eq!(below.cancellation(), child.cancellation());
    });
}

/// Invariant 3 for a child: its callback comes while its parent is cancelled, and runs exactly once.
#[test]
fn a_callback_of_a_child_runs_exactly_once() {
    model(|| {
        let root = SimpleToken::new();
        let child = root.child();
        calls_once(root, &child);
    });
}

/// A derived token that is dropped while its source is cancelled.
#[test]
fn a_child_may_go_while_its_parent_is_cancelled() {
    model(|| {
        let root = SimpleToken::new();
        let child = armed(root.child());
        let other = root.clone();
        let canceller = thread::spawn(move || other.cancel());
        drop(child);
        canceller.join().unwrap();
    });
}

#[test]
fn news_of_a_cancel_that_was_read_relaxed_makes_a_later_cancel_late() {
    model(|| {
        let operand = SimpleToken::new();
        let sum = &operand + SimpleToken::new();
        let told = Arc::new(AtomicUsize::new(0));
        let canceller = thread::spawn({
            let (operand, told) = (operand.clone(), told.clone());
            move || {
                operand.cancel();
                told.store(1, Ordering::Release);
            }
        });
        if told.load(Ordering::Relaxed) == 1 {
            assert!(!sum.cancel(), "its operand was cancelled before");
        }
        canceller.join().unwrap();
    });
}

#[test]
fn news_of_a_cancel_that_was_read_relaxed_lets_a_peek_find_it() {
    for is_armed in [false, true] {
        model(move || {
            let operand = SimpleToken::new();
            let sum = &operand + SimpleToken::new();
            let sum = if is_armed { armed(sum) } else { sum };
            let told = Arc::new(AtomicUsize::new(0));
            let canceller = thread::spawn({
                let told = told.clone();
                move || {
                    operand.cancel();
                    told.store(1, Ordering::Release);
                }
            });
            if told.load(Ordering::Relaxed) == 1 {
                assert!(sum.cancellation().is_some(), "it was cancelled before");
            }
            canceller.join().unwrap();
        });
    }
}
