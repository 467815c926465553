//! What a check costs: the limit (an `AtomicBool` behind an `Arc`), the peers, and tokens of every make.

mod support;

use almost_enough::{Stop, Stopper, TimeoutExt};
use cancel_this::{CancelAtomic, Cancelled, active_triggers, check_cancellation, on_trigger};
use cantok_core::{ConditionToken, CounterToken, SimpleToken, TimeoutToken, Token};
use criterion::Criterion;
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use support::alone_and_contended;
use tokio_util::sync::CancellationToken;

const HOUR: Duration = Duration::from_secs(3600);

/// Checked often enough to have armed itself.
fn armed(token: impl Into<Token>) -> Token {
    let token = token.into();
    for _ in 0..100 {
        assert!(token.keep_on());
    }
    token
}

fn one_load(c: &mut Criterion) {
    let mut group = c.benchmark_group("check");

    let flag = Arc::new(AtomicBool::new(false));
    alone_and_contended(&mut group, "limit: Arc<AtomicBool>", || {
        black_box(&flag).load(Ordering::Acquire)
    });
    let tokio = CancellationToken::new();
    alone_and_contended(&mut group, "peer: tokio-util", || {
        black_box(&tokio).is_cancelled()
    });
    let stopper = Stopper::new();
    alone_and_contended(&mut group, "peer: almost-enough", || {
        black_box(&stopper).should_stop()
    });
    let stopper = Stopper::new().with_timeout(HOUR);
    alone_and_contended(&mut group, "peer: almost-enough with timeout", || {
        black_box(&stopper).should_stop()
    });
    // Not through its thread-local variable, which costs more.
    let trigger = on_trigger(
        CancelAtomic::new(),
        || Ok::<_, Cancelled>(active_triggers()),
    );
    let trigger = trigger.expect("not cancelled");
    alone_and_contended(&mut group, "peer: cancel-this", || {
        check_cancellation(black_box(&trigger)).is_err()
    });

    let simple = armed(SimpleToken::new());
    alone_and_contended(&mut group, "simple", || black_box(&simple).is_cancelled());
    let timeout = armed(TimeoutToken::new(HOUR));
    alone_and_contended(&mut group, "timeout", || black_box(&timeout).is_cancelled());
    let shared: Vec<_> = (0..16).map(|_| SimpleToken::new()).collect();
    let sum = armed(Token::any(&shared) + TimeoutToken::new(HOUR));
    alone_and_contended(&mut group, "16 shared and timeout", || {
        black_box(&sum).is_cancelled()
    });
    let deep = armed((0..1_000).fold(SimpleToken::new(), |parent, _| parent.child()));
    alone_and_contended(&mut group, "depth 1000", || black_box(&deep).is_cancelled());
    group.finish();
}

fn condition() -> bool {
    black_box(0_u64) == 1984
}

fn polled(c: &mut Criterion) {
    let mut group = c.benchmark_group("check/polled");

    let boxed: Box<dyn Fn() -> bool + Send + Sync> = Box::new(condition);
    alone_and_contended(&mut group, "limit: boxed closure", || black_box(&boxed)());
    let token = armed(ConditionToken::new(condition));
    alone_and_contended(&mut group, "condition", || black_box(&token).is_cancelled());

    let units = AtomicU64::new(u64::MAX);
    alone_and_contended(&mut group, "limit: decrement", || {
        black_box(&units).fetch_sub(1, Ordering::Relaxed) == 0
    });
    let token = armed(CounterToken::new(u64::MAX));
    alone_and_contended(&mut group, "counter", || black_box(&token).is_cancelled());

    let flag = Arc::new(AtomicBool::new(false));
    let by_hand = (flag, boxed, units);
    alone_and_contended(&mut group, "limit: quick start by hand", || {
        let (flag, condition, units) = black_box(&by_hand);
        flag.load(Ordering::Acquire) || condition() || units.fetch_sub(1, Ordering::Relaxed) == 0
    });
    let token = armed(
        SimpleToken::new()
            + ConditionToken::new(condition)
            + CounterToken::new(u64::MAX)
            + TimeoutToken::new(HOUR),
    );
    alone_and_contended(&mut group, "quick start", || {
        black_box(&token).is_cancelled()
    });
    group.finish();
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    one_load(&mut criterion);
    polled(&mut criterion);
    criterion.final_summary();
}
