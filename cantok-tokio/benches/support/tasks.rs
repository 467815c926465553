//! Tasks that wait for a token, of tokio-util and of ours, and are woken by a cancel.

use cantok_core::SimpleToken;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::thread;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};
use tokio_util::sync::CancellationToken;

use crate::contenders::Contender;

const TASKS: usize = 100_000;

/// Calls `f` with the name, the number of tasks, and the contenders of each group. The first contender is the limit.
pub(crate) fn each_wake(mut f: impl FnMut(&str, u64, &[Contender<'_>])) {
    for (runtime, build) in RUNTIMES {
        for (shape, shared) in [("one token", true), ("a child for each", false)] {
            for (until, what) in [("all ran", Until::AllRan), ("cancel()", Until::Returned)] {
                let name = format!("{until}, {shape}, {runtime}");
                f(&name, TASKS as u64, &wakes(build, shared, what));
            }
        }
    }
}

type Build = fn() -> Runtime;

const RUNTIMES: [(&str, Build); 2] = [
    ("current-thread", || {
        Builder::new_current_thread().build().unwrap()
    }),
    ("multi-thread", || {
        Builder::new_multi_thread()
            .worker_threads(2)
            .build()
            .unwrap()
    }),
];

/// What all tasks get, as they get one error from a token that has one.
static ERROR: LazyLock<Arc<Instant>> = LazyLock::new(|| Arc::new(Instant::now()));

/// What ends the time of a cancel.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Until {
    AllRan,
    Returned,
}

/// Tasks that wait for a token: those of which the first poll is over, and those that have run to their end.
#[derive(Default)]
struct Tasks {
    waiting: AtomicUsize,
    ended: AtomicUsize,
}

impl Tasks {
    fn spawn(self: &Arc<Self>, runtime: &Runtime, future: impl Future + Send + Unpin + 'static) {
        let tasks = Arc::clone(self);
        runtime.spawn(async move {
            let mut future = future;
            let mut is_waiting = false;
            std::future::poll_fn(|cx| {
                let poll = Pin::new(&mut future).poll(cx);
                if !std::mem::replace(&mut is_waiting, true) {
                    tasks.waiting.fetch_add(1, Ordering::Relaxed);
                }
                poll
            })
            .await;
            drop(future);
            tasks.ended.fetch_add(1, Ordering::Release);
        });
    }
}

fn wakes<'a>(build: Build, shared: bool, until: Until) -> Vec<Contender<'a>> {
    let run = move |spawn: &dyn Fn(&Runtime, &Arc<Tasks>), cancel: &(dyn Fn() + Sync)| {
        let runtime = build();
        let tasks = Arc::<Tasks>::default();
        spawn(&runtime, &tasks);
        // A current-thread runtime runs in here, and is left when all have been polled.
        drive(&runtime, &tasks.waiting);
        let mut elapsed = Duration::ZERO;
        thread::scope(|scope| {
            let start = Instant::now();
            let canceller = scope.spawn(move || {
                let start = Instant::now();
                cancel();
                start.elapsed()
            });
            drive(&runtime, &tasks.ended);
            elapsed = start.elapsed();
            let returned = canceller.join().unwrap();
            if until == Until::Returned {
                elapsed = returned;
            }
        });
        elapsed
    };
    let tokio_util = move |wait: fn(&Runtime, &Arc<Tasks>, CancellationToken)| {
        let token = CancellationToken::new();
        let spawn = |runtime: &Runtime, tasks: &Arc<Tasks>| {
            for _ in 0..TASKS {
                let token = if shared {
                    token.clone()
                } else {
                    token.child_token()
                };
                wait(runtime, tasks, token);
            }
        };
        run(&spawn, &|| token.cancel())
    };
    vec![
        (
            "tokio-util",
            Box::new(move || {
                tokio_util(|runtime, tasks, token| {
                    tasks.spawn(runtime, Box::pin(token.cancelled_owned()));
                })
            }),
        ),
        (
            "control: tokio-util, and an Arc for each task",
            Box::new(move || {
                tokio_util(|runtime, tasks, token| {
                    let waiting = async move {
                        token.cancelled_owned().await;
                        Arc::clone(&ERROR)
                    };
                    tasks.spawn(runtime, Box::pin(waiting));
                })
            }),
        ),
        (
            "cantok",
            Box::new(move || {
                let token = SimpleToken::new();
                let spawn = |runtime: &Runtime, tasks: &Arc<Tasks>| {
                    for _ in 0..TASKS {
                        let token = if shared { token.clone() } else { token.child() };
                        tasks.spawn(runtime, Box::pin(token.cancelled_owned()));
                    }
                };
                run(&spawn, &|| {
                    token.cancel();
                })
            }),
        ),
    ]
}

/// Runs the runtime until that many have been counted.
fn drive(runtime: &Runtime, count: &AtomicUsize) {
    runtime.block_on(async {
        while count.load(Ordering::Acquire) < TASKS {
            tokio::task::yield_now().await;
        }
    });
}
