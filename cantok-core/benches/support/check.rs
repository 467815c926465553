//! What is checked: the limit (an `AtomicBool` behind an `Arc`), the peers, and tokens of every make.

use crate::calls::{Contender, call};
use almost_enough::{Stop, Stopper, TimeoutExt};
use cancel_this::{CancelAtomic, Cancelled, active_triggers, check_cancellation, on_trigger};
use cantok_core::{ConditionToken, CounterToken, SimpleToken, TimeoutToken, Token};
use std::cell::Cell;
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const HOUR: Duration = Duration::from_secs(3600);

/// Checked often enough to have armed itself.
pub(crate) fn armed(token: impl Into<Token>) -> Token {
    let token = token.into();
    for _ in 0..100 {
        assert!(token.keep_on());
    }
    token
}

fn check(name: &'static str, token: impl Into<Token>) -> Contender {
    let token = armed(token);
    call(name, move || black_box(&token).is_cancelled())
}

/// Whatever is known without asking anybody.
pub(crate) fn one_load() -> Vec<Contender> {
    let flag = Arc::new(AtomicBool::new(false));
    let tokio = CancellationToken::new();
    let stopper = Stopper::new();
    let stopper_with_timeout = Stopper::new().with_timeout(HOUR);
    // Not through its thread-local variable, which costs more.
    let trigger = on_trigger(
        CancelAtomic::new(),
        || Ok::<_, Cancelled>(active_triggers()),
    );
    let trigger = trigger.expect("not cancelled");
    let shared: Vec<_> = (0..16).map(|_| SimpleToken::new()).collect();
    let sum = Token::any(&shared) + TimeoutToken::new(HOUR);
    let deep = (0..1_000).fold(SimpleToken::new(), |parent, _| parent.child());
    vec![
        call("limit: Arc<AtomicBool>", move || {
            black_box(&flag).load(Ordering::Acquire)
        }),
        call("peer: tokio-util", move || black_box(&tokio).is_cancelled()),
        call("peer: almost-enough", move || {
            black_box(&stopper).should_stop()
        }),
        call("peer: almost-enough with timeout", move || {
            black_box(&stopper_with_timeout).should_stop()
        }),
        call("peer: cancel-this", move || {
            check_cancellation(black_box(&trigger)).is_err()
        }),
        check("simple", SimpleToken::new()),
        check("timeout", TimeoutToken::new(HOUR)),
        // The others hold on to theirs.
        call("16 shared and timeout", {
            let sum = armed(sum);
            move || {
                let _ = &shared;
                black_box(&sum).is_cancelled()
            }
        }),
        check("depth 1000", deep),
    ]
}

fn condition() -> bool {
    black_box(0_u64) == 1984
}

/// A source that each check calls or spends, in a list that is put together while the program runs.
enum Source {
    Condition(Box<dyn Fn() -> bool + Send + Sync>),
    Counter(AtomicU64),
}

thread_local! {
    /// Whether this thread is calling a condition, which may check its own list.
    static IS_CALLING: Cell<bool> = const { Cell::new(false) };
}

impl Source {
    fn stops(&self) -> bool {
        match self {
            Source::Condition(_) if IS_CALLING.get() => false,
            Source::Condition(condition) => {
                IS_CALLING.set(true);
                let stops = condition();
                IS_CALLING.set(false);
                stops
            }
            Source::Counter(units) => units.fetch_sub(1, Ordering::Relaxed) == 0,
        }
    }
}

/// What has to be asked or counted each time.
pub(crate) fn polled() -> Vec<Contender> {
    type Condition = Box<dyn Fn() -> bool + Send + Sync>;
    let boxed = || -> Condition { Box::new(condition) };
    let units = || AtomicU64::new(u64::MAX);
    let closure = boxed();
    let counter = units();
    let by_hand = (Arc::new(AtomicBool::new(false)), boxed(), units());
    let list = (
        Arc::new(AtomicBool::new(false)),
        vec![
            Arc::new(Source::Condition(boxed())),
            Arc::new(Source::Counter(units())),
        ],
    );
    let quick_start = SimpleToken::new()
        + ConditionToken::new(condition)
        + CounterToken::new(u64::MAX)
        + TimeoutToken::new(HOUR);
    vec![
        call("limit: quick start by hand", move || {
            let (flag, condition, units) = black_box(&by_hand);
            flag.load(Ordering::Acquire)
                || condition()
                || units.fetch_sub(1, Ordering::Relaxed) == 0
        }),
        call("control: a list", move || {
            let (flag, sources) = black_box(&list);
            flag.load(Ordering::Acquire) || sources.iter().any(|source| source.stops())
        }),
        check("quick start", quick_start),
        call("limit: boxed closure", move || black_box(&closure)()),
        check("condition", ConditionToken::new(condition)),
        call("limit: decrement", move || {
            black_box(&counter).fetch_sub(1, Ordering::Relaxed) == 0
        }),
        check("counter", CounterToken::new(u64::MAX)),
    ]
}
