//! Futures and streams that a token can end, in all ways: tokio-util's token, a hand-written `select!`, and ours.

use crate::calls::{self, Threads};
use crate::future::{self, poll};
use cantok_core::{SimpleToken, TimeoutToken, Token};
use cantok_tokio::prelude::*;
use futures::StreamExt;
use futures::stream;
use std::future::{Future, poll_fn, ready};
use std::hint::black_box;
use std::pin::Pin;
use std::task::Poll;
use std::time::{Duration, Instant};
use tokio::runtime::Builder;
use tokio_util::sync::CancellationToken;

/// A name, and what takes the time that it returns.
pub(crate) type Contender<'a> = (&'static str, Box<dyn Fn() -> Duration + 'a>);

/// Returns how long it took.
type Loop = Pin<Box<dyn Future<Output = Duration> + Send>>;

const HOUR: Duration = Duration::from_secs(3600);

/// Futures or items of a run.
const CALLS: u64 = 10_000;

/// Calls `f` with the name, the number of calls in a run, and the contenders of each group. The first contender is the
/// limit.
pub(crate) fn each_group(mut f: impl FnMut(&str, u64, &[Contender<'_>])) {
    f(
        "a future that is ready",
        CALLS,
        &alone(future::ready_once()),
    );
    f(
        "a future that waits once",
        CALLS,
        &alone(future::waiting_once()),
    );
    f("cancelled(), polled once and dropped", CALLS, &waits());
    f(
        "cancelled(), polled again in tokio's block_on",
        CALLS,
        &polled_again(|loops| {
            Builder::new_current_thread()
                .build()
                .unwrap()
                .block_on(loops)
        }),
    );
    f(
        "cancelled(), polled again in a task of tokio",
        CALLS,
        &polled_again(|loops| {
            let runtime = Builder::new_current_thread().build().unwrap();
            runtime.block_on(runtime.spawn(loops)).unwrap()
        }),
    );
    f("an item of a stream that is ready", CALLS, &items());
}

/// What the quick start hands around, but for what is called in each check.
fn sum() -> Token {
    SimpleToken::new() + TimeoutToken::new(HOUR)
}

/// The contenders of cantok-core on this thread alone.
fn alone<'a>(contenders: Vec<calls::Contender>) -> Vec<Contender<'a>> {
    let alone = |(name, run): calls::Contender| -> Contender<'a> {
        (name, Box::new(move || run(Threads::One, CALLS)))
    };
    contenders.into_iter().map(alone).collect()
}

fn time<'a>(name: &'static str, call: impl Fn() + 'a) -> Contender<'a> {
    let run = move || {
        let start = Instant::now();
        (0..CALLS).for_each(|_| call());
        start.elapsed()
    };
    (name, Box::new(run))
}

fn waits<'a>() -> Vec<Contender<'a>> {
    let peer = CancellationToken::new();
    let (simple, summed) = (SimpleToken::new(), sum());
    vec![
        time("tokio-util", move || {
            assert!(poll(peer.cancelled()).is_pending());
        }),
        time("cantok", move || {
            assert!(poll(simple.cancelled()).is_pending());
        }),
        time("cantok, a sum", move || {
            assert!(poll(summed.cancelled()).is_pending());
        }),
    ]
}

/// A `select!` loop that makes its `cancelled()` once, and polls it in each turn.
fn polled_again<'a>(run: fn(Loop) -> Duration) -> Vec<Contender<'a>> {
    async fn poll_again(mut cancelled: Pin<Box<impl Future + ?Sized>>) -> Duration {
        let start = Instant::now();
        for _ in 0..CALLS {
            poll_fn(|cx| {
                assert!(cancelled.as_mut().poll(cx).is_pending());
                Poll::Ready(())
            })
            .await;
        }
        start.elapsed()
    }
    let peer = CancellationToken::new();
    let simple = SimpleToken::new();
    vec![
        (
            "tokio-util",
            Box::new(move || {
                let cancelled = peer.clone().cancelled_owned();
                run(Box::pin(poll_again(Box::pin(cancelled))))
            }),
        ),
        (
            "cantok",
            Box::new(move || {
                let cancelled = simple.cancelled_owned();
                run(Box::pin(poll_again(Box::pin(cancelled))))
            }),
        ),
    ]
}

fn items<'a>() -> Vec<Contender<'a>> {
    fn run(stream: impl futures::Stream<Item = u64>) {
        let mut sum = 0;
        let all = stream.for_each(|item| {
            sum += black_box(item);
            ready(())
        });
        assert!(poll(all).is_ready());
        black_box(sum);
    }
    fn of<'a>(name: &'static str, call: impl Fn() + 'a) -> Contender<'a> {
        let run = move || {
            let start = Instant::now();
            call();
            start.elapsed()
        };
        (name, Box::new(run))
    }
    let by_hand = CancellationToken::new();
    let (simple, tried) = (SimpleToken::new(), SimpleToken::new());
    let items = || stream::iter(0..CALLS);
    vec![
        of("take_until(tokio-util's cancelled())", move || {
            run(items().take_until(Box::pin(by_hand.cancelled())));
        }),
        of("with_token", move || run(items().with_token(&simple))),
        of("try_with_token", move || {
            run(items()
                .try_with_token(&tried)
                .map(|item| item.unwrap_or_default()));
        }),
        of("the stream alone", move || run(items())),
    ]
}
