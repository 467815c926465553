//! What derives from a token that is cancelled.

use cantok_core::{Registration, SimpleToken};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Waker};
use std::time::{Duration, Instant};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// A name, and what takes the time of that many cancels.
pub(crate) type Contender = (&'static str, Box<dyn Fn(u64) -> Duration>);

/// The contenders for a root with that many children.
pub(crate) fn contenders(children: usize) -> Vec<Contender> {
    vec![
        cancel(
            "waiting children, peer: tokio-util",
            move || tokio_waiting(children),
            CancellationToken::cancel,
        ),
        cancel("waiting children", move || waiting(children), by_hand),
        cancel("armed children", move || armed(children), by_hand),
        cancel(
            "children with a callback",
            move || called(children),
            by_hand,
        ),
        cancel(
            "polling children, peer: tokio-util",
            move || tokio_polling(children),
            CancellationToken::cancel,
        ),
        cancel("polling children", move || polling(children), by_hand),
    ]
}

fn by_hand(token: &SimpleToken) {
    assert!(token.cancel());
}

/// Times the cancel of a root. What is made for it is dropped outside the measurement.
fn cancel<R: 'static, D>(
    name: &'static str,
    setup: impl Fn() -> (R, D) + 'static,
    cancel: fn(&R),
) -> Contender {
    let run = move |cancels| {
        let time = |_| {
            let (root, derived) = setup();
            let start = Instant::now();
            cancel(&root);
            let elapsed = start.elapsed();
            drop((root, derived));
            elapsed
        };
        (0..cancels).map(time).sum()
    };
    (name, Box::new(run))
}

/// Children without waiters, checked fewer than 64 times.
fn polling(children: usize) -> (SimpleToken, Vec<SimpleToken>) {
    let root = SimpleToken::new();
    let tokens = (0..children).map(|_| root.child()).collect();
    (root, tokens)
}

/// Children that were checked often enough to have armed themselves.
fn armed(children: usize) -> (SimpleToken, Vec<SimpleToken>) {
    let (root, tokens) = polling(children);
    for token in &tokens {
        for _ in 0..100 {
            assert!(token.keep_on());
        }
    }
    (root, tokens)
}

/// Polls a future, which stays pending.
fn pending<F: Future + Unpin>(mut future: F) -> F {
    let mut context = Context::from_waker(Waker::noop());
    assert!(Pin::new(&mut future).poll(&mut context).is_pending());
    future
}

/// Children each of which a task waits for.
fn waiting(children: usize) -> (SimpleToken, Vec<impl Future>) {
    let (root, tokens) = polling(children);
    let waiting = tokens.iter().map(|token| pending(token.cancelled_owned()));
    (root, waiting.collect())
}

/// Children each of which calls a closure.
fn called(children: usize) -> (SimpleToken, Vec<(SimpleToken, Registration)>) {
    let (root, tokens) = polling(children);
    let called = tokens.into_iter().map(|token| {
        let waker = Waker::noop().clone();
        let registration = token.on_cancel(move |_| waker.wake());
        (token, registration)
    });
    (root, called.collect())
}

type TokioWaiting = Vec<Pin<Box<WaitForCancellationFutureOwned>>>;

fn tokio_polling(children: usize) -> (CancellationToken, Vec<CancellationToken>) {
    let root = CancellationToken::new();
    let tokens = (0..children).map(|_| root.child_token()).collect();
    (root, tokens)
}

fn tokio_waiting(children: usize) -> (CancellationToken, TokioWaiting) {
    let (root, tokens) = tokio_polling(children);
    let waiting = tokens
        .into_iter()
        .map(|token| pending(Box::pin(token.cancelled_owned())));
    (root, waiting.collect())
}
