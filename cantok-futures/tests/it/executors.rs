//! Futures and streams run on any executor, and are woken there by whatever ends them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crate::support::inside::Inside;
use crate::support::waiting::{Ending, Waiting, endings, once_it_waits, waiting};
use cantok_core::{CancellationError, CounterToken, SimpleToken, Token};
use cantok_futures::block_on_with_token;
use cantok_futures::prelude::*;
use cantok_testkit::watchdog;
use futures::executor::LocalPool;
use futures::future::{Either, join, join_all, pending, select};
use futures::stream::{self, FuturesUnordered, StreamExt};
use futures::task::LocalSpawnExt;
use tokio::runtime::{Builder, Runtime};
use tokio::task::{JoinSet, LocalSet, spawn_local};

/// Waits for the future there, as the main one or as a task.
type Run = fn(Waiting) -> Option<CancellationError>;

fn current_thread() -> Runtime {
    Builder::new_current_thread().build().expect("a runtime")
}

fn workers() -> Runtime {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(2).build().expect("a runtime")
}

const EXECUTORS: [(&str, Run); 14] = [
    ("futures' block_on", |job| futures::executor::block_on(job)),
    ("pollster", |job| pollster::block_on(job)),
    ("a LocalPool", |job| LocalPool::new().run_until(job)),
    ("a task of a LocalPool", |job| {
        let mut pool = LocalPool::new();
        let handle = pool.spawner().spawn_local_with_handle(job);
        pool.run_until(handle.expect("a pool"))
    }),
    ("futures' join", |job| {
        let (error, ()) = futures::executor::block_on(join(job, async {}));
        error
    }),
    ("futures' select", |job| {
        match futures::executor::block_on(select(pending::<()>(), job)) {
            Either::Left(_) => unreachable!("it is never ready"),
            Either::Right((error, _)) => error,
        }
    }),
    ("smol", |job| smol::block_on(job)),
    ("a task of smol", |job| smol::block_on(smol::spawn(job))),
    ("block_on_with_token", |job| {
        block_on_with_token(job, Token::never()).expect("a token that is never cancelled")
    }),
    ("current_thread", |job| current_thread().block_on(job)),
    ("a task of current_thread", |job| {
        let runtime = current_thread();
        let task = runtime.spawn(job);
        runtime.block_on(task).expect("no panic")
    }),
    ("multi_thread", |job| workers().block_on(job)),
    ("a task of multi_thread", |job| {
        let runtime = workers();
        let task = runtime.spawn(job);
        runtime.block_on(task).expect("no panic")
    }),
    ("a LocalSet", |job| {
        LocalSet::new().block_on(&current_thread(), async {
            spawn_local(job).await.expect("no panic")
        })
    }),
];

/// Ended by another thread once it waits.
fn ended(kind: usize, ending: Ending) -> Waiting {
    let (_, future) = waiting(&ending.token).into_iter().nth(kind).unwrap();
    Box::pin(once_it_waits(future, move || {
        thread::spawn(|| ending.end());
    }))
}

#[test]
fn everything_that_waits_is_woken_on_every_executor_by_whatever_ends_it() {
    for (executor, run) in EXECUTORS {
        watchdog(executor, move || {
            for kind in 0..waiting(&Token::never()).len() {
                for ending in endings(Duration::from_millis(2)) {
                    let what = format!("{} on {executor}, {kind}", ending.name);
                    let (token, origin) = (ending.token.clone(), ending.origin.clone());
                    let error = run(ended(kind, ending));
                    let cause = token.cancellation().expect(&what);
                    assert!(cause.is_from(&origin), "{what}");
                    // A stream that ends quietly has none.
                    assert!(error.is_none_or(|error| error == cause), "{what}");
                }
            }
        });
    }
}

/// Twenty of each, in one task.
#[test]
fn many_that_wait_together_all_end() {
    for (executor, run) in EXECUTORS {
        watchdog(executor, move || {
            for (ending, is_joined) in endings(Duration::from_millis(10))
                .into_iter()
                .zip([true, false].into_iter().cycle())
            {
                let what = format!("{} on {executor}", ending.name);
                let all = (0..20).flat_map(|_| waiting(&ending.token).map(|(_, future)| future));
                let ended = Arc::new(AtomicUsize::new(0));
                let together: Waiting = if is_joined {
                    let all = join_all(all);
                    let ended = ended.clone();
                    Box::pin(async move {
                        ended.fetch_add(all.await.len(), Ordering::SeqCst);
                        None
                    })
                } else {
                    let all: FuturesUnordered<_> = all.collect();
                    let ended = ended.clone();
                    Box::pin(async move {
                        ended.fetch_add(all.count().await, Ordering::SeqCst);
                        None
                    })
                };
                run(Box::pin(once_it_waits(together, move || {
                    thread::spawn(|| ending.end());
                })));
                assert_eq!(ended.load(Ordering::SeqCst), 120, "{what}");
            }
        });
    }
}

/// Twenty of each, each as a task.
#[test]
fn many_tasks_that_wait_all_end() {
    watchdog("tasks", || {
        for runtime in [current_thread(), workers()] {
            for ending in endings(Duration::from_millis(10)) {
                let mut tasks = JoinSet::new();
                for _ in 0..20 {
                    for (_, future) in waiting(&ending.token) {
                        tasks.spawn_on(future, runtime.handle());
                    }
                }
                runtime.block_on(async {
                    // Some wait already, some have yet to begin.
                    thread::spawn(|| ending.end());
                    while let Some(joined) = tasks.join_next().await {
                        joined.expect("no panic");
                    }
                });
            }
        }
    });
}

/// One thread puts items in, another one cancels: what was not taken is still there.
#[test]
fn items_come_from_another_thread_until_the_cancel() {
    for (executor, run) in EXECUTORS {
        watchdog(executor, move || {
            for until in [0, 1, 10, 1_000] {
                let token = SimpleToken::new();
                let inside = Inside::default();
                let mut stream = inside.stream().try_with_token(&token);
                let taken = Arc::new(AtomicUsize::new(0));
                let count = taken.clone();
                let job = Box::pin(async move {
                    loop {
                        match stream.next().await.expect("no end but the cancel") {
                            Ok(item) => {
                                let number = count.fetch_add(1, Ordering::SeqCst);
                                assert_eq!(item as usize, number);
                            }
                            Err(error) => return Some(error),
                        }
                    }
                });
                let feeder = inside.clone();
                let error = run(Box::pin(once_it_waits(job, move || {
                    thread::spawn(move || {
                        (0..until).for_each(|item| feeder.put(item));
                        token.cancel();
                    });
                })));
                assert!(error.is_some());
                let taken = taken.load(Ordering::SeqCst);
                assert_eq!(taken + inside.left(), until as usize, "{executor}");
            }
        });
    }
}

/// With `select!` and `join!` of tokio, in the usual loop.
#[test]
fn a_loop_around_a_select_takes_items_until_the_token_says_stop() {
    watchdog("a loop", || {
        let counter = CounterToken::new(100);
        let token = SimpleToken::new() + &counter;
        let mut items = stream::repeat(1);
        let mut taken = 0;
        let (error, ()) = pollster::block_on(async {
            tokio::join!(
                async {
                    loop {
                        tokio::select! {
                            biased;
                            error = token.cancelled() => break error,
                            Some(Ok(item)) = next_of(&mut items, &token) => taken += item,
                        }
                    }
                },
                async {}
            )
        });
        assert!(error.is_from(&counter));
        assert_eq!(taken, 100);
    });
}

async fn next_of(
    items: &mut stream::Repeat<u64>,
    token: &Token,
) -> Option<Result<u64, CancellationError>> {
    items.try_with_token(token).next().await
}
