//! Deadlines that are armed and disarmed before they pass: of tokio's `Sleep` and of a token that a task waits for.

use crate::calls::{Contender, call, call_within};
use crate::future::poll;
use crate::turns::random::Random;
use cantok_core::TimeoutToken;
use std::cell::RefCell;
use std::future::Future;
use std::hint::black_box;
use std::pin::Pin;
use std::sync::LazyLock;
use std::task::{Context, Waker};
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};
use tokio::time::sleep;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// Its one worker only waits for deadlines, like the thread that marks those of tokens.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(1).enable_time().build().unwrap()
});

/// How far away a new deadline is.
pub(crate) type After = fn() -> Duration;

pub(crate) fn minute() -> Duration {
    MINUTE
}

/// At random within the hour that begins in a minute.
pub(crate) fn random() -> Duration {
    thread_local! {
        static RANDOM: RefCell<Random> = const { RefCell::new(Random::new()) };
    }
    let micros = HOUR.as_micros() as u64;
    MINUTE + Duration::from_micros(RANDOM.with_borrow_mut(|random| random.below(micros)))
}

pub(crate) fn contenders(after: After) -> Vec<Contender> {
    vec![
        call_within(
            "peer: tokio's Sleep",
            || RUNTIME.enter(),
            move || assert!(poll(sleep(after())).is_pending()),
        ),
        call_within(
            "control: a boxed Sleep, and a clock read",
            || RUNTIME.enter(),
            move || {
                let mut sleep = Box::pin(sleep(after()));
                black_box(Instant::now());
                assert!(poll(sleep.as_mut()).is_pending());
            },
        ),
        call("control: a token that is not armed", move || {
            TimeoutToken::new(after())
        }),
        call("timeout", move || {
            assert!(poll(TimeoutToken::new(after()).cancelled()).is_pending());
        }),
    ]
}

/// Arms `count` deadlines of each kind, at random within the hour that begins in a minute. Dropping the result disarms
/// them.
pub(crate) fn others(count: usize) -> impl Sized {
    let _entered = RUNTIME.enter();
    let mut cx = Context::from_waker(Waker::noop());
    let mut sleeps: Vec<_> = (0..count).map(|_| Box::pin(sleep(random()))).collect();
    for sleep in &mut sleeps {
        assert!(sleep.as_mut().poll(&mut cx).is_pending());
    }
    let mut tokens: Vec<_> = (0..count)
        .map(|_| TimeoutToken::new(random()).cancelled_owned())
        .collect();
    for cancelled in &mut tokens {
        assert!(Pin::new(cancelled).poll(&mut cx).is_pending());
    }
    (sleeps, tokens)
}
