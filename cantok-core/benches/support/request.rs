//! Requests of a server: a future that waits once, under the server's token and a deadline of its own.

use crate::future::WaitOnce;
use cantok_core::{SimpleToken, TimeoutToken};
use cantok_futures::prelude::*;
use std::future::{Future, poll_fn};
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// A name, and what takes the time of a run.
pub(crate) type Contender = (&'static str, Box<dyn Fn() -> Duration>);

const TIMEOUT: Duration = Duration::from_secs(60);

/// A server's token.
trait Server: Clone + Default + Send + Sync + 'static {
    /// Runs `step` as a request.
    fn request(&self, step: impl Future<Output = ()> + Send) -> impl Future<Output = ()> + Send;
}

impl Server for CancellationToken {
    async fn request(&self, step: impl Future<Output = ()> + Send) {
        let child = self.child_token();
        let output = timeout(TIMEOUT, child.run_until_cancelled(step)).await;
        assert_eq!(output, Ok(Some(())));
    }
}

impl Server for SimpleToken {
    async fn request(&self, step: impl Future<Output = ()> + Send) {
        let output = step.with_token(self + TimeoutToken::new(TIMEOUT)).await;
        assert_eq!(output, Ok(()));
    }
}

/// Runs requests to their end.
type Run = fn(&Runtime);

/// Both contenders, on the same runtime.
fn contenders(mut runtime: Builder, tokio_util: Run, ours: Run) -> Vec<Contender> {
    let runtime = Rc::new(runtime.enable_time().build().unwrap());
    let contender = |name, run: Run| -> Contender {
        let runtime = Rc::clone(&runtime);
        let time = move || {
            let start = Instant::now();
            run(&runtime);
            start.elapsed()
        };
        (name, Box::new(time))
    };
    vec![
        contender("peer: timeout of run_until_cancelled", tokio_util),
        contender("with_token of root and timeout", ours),
    ]
}

fn two_threads() -> Builder {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(2);
    builder
}

/// Runs tasks to their end. A thread of the runtime spawns them, as in a server.
fn run<F>(runtime: &Runtime, tasks: usize, task: impl Fn() -> F + Send + 'static)
where
    F: Future<Output = ()> + Send + 'static,
{
    let all = runtime.spawn(async move {
        let tasks: Vec<_> = (0..tasks).map(|_| tokio::spawn(task())).collect();
        for task in tasks {
            task.await.unwrap();
        }
    });
    runtime.block_on(all).unwrap();
}

/// Runs tasks that each make one request after the other.
fn loops<S: Server>(runtime: &Runtime, tasks: usize, requests: usize) {
    let server = S::default();
    run(runtime, tasks, move || {
        let server = server.clone();
        async move {
            for _ in 0..requests {
                server.request(WaitOnce::default()).await;
            }
        }
    });
}

/// How many requests a run of [`alone`] has.
pub(crate) const ALONE: usize = 5_000;

/// One request at a time.
pub(crate) fn alone() -> Vec<Contender> {
    contenders(
        Builder::new_current_thread(),
        |runtime| loops::<CancellationToken>(runtime, 1, ALONE),
        |runtime| loops::<SimpleToken>(runtime, 1, ALONE),
    )
}

/// How many requests a run of [`tasks`] has.
pub(crate) const BY_TASKS: usize = TASKS * 500;

const TASKS: usize = 64;

/// 64 requests at a time.
pub(crate) fn tasks() -> Vec<Contender> {
    contenders(
        two_threads(),
        |runtime| loops::<CancellationToken>(runtime, TASKS, BY_TASKS / TASKS),
        |runtime| loops::<SimpleToken>(runtime, TASKS, BY_TASKS / TASKS),
    )
}

/// How many requests a run of [`at_once`] has.
pub(crate) const AT_ONCE: usize = 10_000;

/// All requests at a time.
pub(crate) fn at_once() -> Vec<Contender> {
    contenders(
        two_threads(),
        all_at_once::<CancellationToken>,
        all_at_once::<SimpleToken>,
    )
}

fn all_at_once<S: Server>(runtime: &Runtime) {
    let (server, gate) = (S::default(), Arc::<Gate>::default());
    run(runtime, AT_ONCE, move || {
        let (server, gate) = (server.clone(), Arc::clone(&gate));
        async move { server.request(gate.pass()).await }
    });
}

/// Where requests wait until the last of them has started.
#[derive(Default)]
struct Gate(Mutex<Vec<Waker>>);

impl Gate {
    async fn pass(&self) {
        let mut has_waited = false;
        poll_fn(|cx| {
            if std::mem::replace(&mut has_waited, true) {
                return Poll::Ready(());
            }
            let mut waiting = self.0.lock().unwrap();
            waiting.push(cx.waker().clone());
            if waiting.len() == AT_ONCE {
                let all = std::mem::take(&mut *waiting);
                drop(waiting);
                all.into_iter().for_each(Waker::wake);
            }
            Poll::Pending
        })
        .await;
    }
}
