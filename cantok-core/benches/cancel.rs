//! What a cancel costs, by how many tokens derive from the cancelled one.

use cantok_core::{SimpleToken, Subscription, Token};
use criterion::{BatchSize, BenchmarkId, Criterion};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Waker};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

const CHILDREN: [usize; 4] = [1, 100, 10_000, 100_000];

/// Children that nobody waits on, checked fewer than 64 times.
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

type Subscribed = (SimpleToken, Vec<(Token, Subscription)>);

fn subscribed(children: usize, subscribe: impl Fn(&Token) -> Subscription) -> Subscribed {
    let (root, tokens) = polling(children);
    let tokens = tokens
        .into_iter()
        .map(|token| {
            let token = Token::from(token);
            let subscription = subscribe(&token);
            (token, subscription)
        })
        .collect();
    (root, tokens)
}

/// Children each of which a task waits for.
fn waiting(children: usize) -> Subscribed {
    subscribed(children, |token| token.subscribe_waker(Waker::noop()))
}

/// Children each of which calls a closure.
fn called(children: usize) -> Subscribed {
    subscribed(children, |token| {
        let waker = Waker::noop().clone();
        token.subscribe(move |_| waker.wake())
    })
}

type TokioWaiting = Vec<Pin<Box<WaitForCancellationFutureOwned>>>;

fn tokio_polling(children: usize) -> (CancellationToken, Vec<CancellationToken>) {
    let root = CancellationToken::new();
    let tokens = (0..children).map(|_| root.child_token()).collect();
    (root, tokens)
}

fn tokio_waiting(children: usize) -> (CancellationToken, TokioWaiting) {
    let (root, tokens) = tokio_polling(children);
    let mut context = Context::from_waker(Waker::noop());
    let waiting = tokens
        .into_iter()
        .map(|token| {
            let mut future = Box::pin(token.cancelled_owned());
            assert!(future.as_mut().poll(&mut context).is_pending());
            future
        })
        .collect();
    (root, waiting)
}

fn cancel(c: &mut Criterion) {
    let mut group = c.benchmark_group("cancel");
    group.sample_size(20);
    // What is cancelled is dropped outside the measurement.
    macro_rules! bench {
        ($name:literal, $setup:expr) => {
            for children in CHILDREN {
                group.bench_with_input(BenchmarkId::new($name, children), &children, |b, &n| {
                    b.iter_batched(
                        || $setup(n),
                        |(root, derived)| {
                            root.cancel();
                            (root, derived)
                        },
                        BatchSize::PerIteration,
                    );
                });
            }
        };
    }
    bench!("polling children, peer: tokio-util", tokio_polling);
    bench!("polling children", polling);
    bench!("waiting children, peer: tokio-util", tokio_waiting);
    bench!("waiting children", waiting);
    bench!("armed children", armed);
    bench!("children with a callback", called);
    group.finish();
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    cancel(&mut criterion);
    criterion.final_summary();
}
