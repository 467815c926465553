//! Futures and streams that a token can end, with everything that can do it: tokio-util's token, the `select!`
//! that is written by hand, and ours.

use cantok_core::{SimpleToken, TimeoutToken, Token};
use cantok_tokio::prelude::*;
use futures::StreamExt;
use futures::stream;
use std::future::{Future, ready};
use std::hint::black_box;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// A name, and what takes the time that it returns.
pub(crate) type Contender<'a> = (&'static str, Box<dyn Fn() -> Duration + 'a>);

const HOUR: Duration = Duration::from_secs(3600);

/// Futures or items of a run.
const CALLS: u64 = 10_000;

/// Calls `f` with the name, the number of calls in a run, and the contenders of each group. The first contender is the
/// limit.
pub(crate) fn each_group(mut f: impl FnMut(&str, u64, &[Contender<'_>])) {
    f("a future that is ready", CALLS, &ready_futures());
    f("a future that waits once", CALLS, &waiting_futures());
    f("cancelled(), polled once and dropped", CALLS, &waits());
    f("an item of a stream that is ready", CALLS, &items());
}

/// What the quick start hands around, but for what is called in each check.
fn sum() -> Token {
    SimpleToken::new() + TimeoutToken::new(HOUR)
}

fn poll<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

fn time<'a>(name: &'static str, call: impl Fn() + 'a) -> Contender<'a> {
    let run = move || {
        let start = Instant::now();
        (0..CALLS).for_each(|_| call());
        start.elapsed()
    };
    (name, Box::new(run))
}

fn ready_futures<'a>() -> Vec<Contender<'a>> {
    let peer = CancellationToken::new();
    let by_hand = CancellationToken::new();
    let (simple, summed, first) = (SimpleToken::new(), sum(), SimpleToken::new());
    let future = || ready(black_box(1));
    vec![
        time("tokio-util: run_until_cancelled", move || {
            black_box(poll(peer.run_until_cancelled(future()))).is_ready();
        }),
        time("with_token", move || {
            black_box(poll(future().with_token(&simple))).is_ready();
        }),
        time("with_token, a sum", move || {
            black_box(poll(future().with_token(&summed))).is_ready();
        }),
        time("with_token, future_first", move || {
            black_box(poll(future().with_token(&first).future_first())).is_ready();
        }),
        time("select! by hand", move || {
            let future = async {
                tokio::select! {
                    biased;
                    () = by_hand.cancelled() => None,
                    output = future() => Some(output),
                }
            };
            black_box(poll(future)).is_ready();
        }),
        time("the future alone", move || {
            black_box(poll(future())).is_ready();
        }),
    ]
}

/// Ready in the second poll.
struct Twice(bool);

impl Future for Twice {
    type Output = u32;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<u32> {
        if std::mem::replace(&mut self.0, true) {
            Poll::Ready(1)
        } else {
            Poll::Pending
        }
    }
}

fn poll_twice(future: impl Future) {
    let mut future = pin!(future);
    let mut cx = Context::from_waker(Waker::noop());
    assert!(future.as_mut().poll(&mut cx).is_pending());
    assert!(future.as_mut().poll(&mut cx).is_ready());
}

fn waiting_futures<'a>() -> Vec<Contender<'a>> {
    let peer = CancellationToken::new();
    let (simple, summed) = (SimpleToken::new(), sum());
    vec![
        time("tokio-util: run_until_cancelled", move || {
            poll_twice(peer.run_until_cancelled(Twice(false)));
        }),
        time("with_token", move || {
            poll_twice(Twice(false).with_token(&simple));
        }),
        time("with_token, a sum", move || {
            poll_twice(Twice(false).with_token(&summed));
        }),
    ]
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
