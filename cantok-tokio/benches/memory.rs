//! How much memory a task takes that waits, by what it waits for. Prints bytes, each measured in a process of its own.

use cantok_core::SimpleToken;
use cantok_testkit::memory::resident_bytes;
use cantok_tokio::prelude::*;
use std::env;
use std::future::{Future, pending};
use std::process::Command;
use tokio::runtime::{Builder, Runtime};
use tokio_util::sync::CancellationToken;

const TASKS: usize = 100_000;

/// Names the contender that this process is to measure.
const CONTENDER: &str = "CANTOK_BENCH_CONTENDER";

fn spawn<F: Future<Output: Send> + Send + 'static>(runtime: &Runtime, future: impl Fn() -> F) {
    for _ in 0..TASKS {
        runtime.spawn(future());
    }
}

type Contender = (&'static str, fn(&Runtime));

const CONTENDERS: [Contender; 7] = [
    ("nothing", |runtime| spawn(runtime, pending::<()>)),
    ("tokio-util: cancelled_owned()", |runtime| {
        let token = CancellationToken::new();
        spawn(runtime, || token.clone().cancelled_owned());
    }),
    ("cantok: cancelled_owned()", |runtime| {
        let token = SimpleToken::new();
        spawn(runtime, || token.cancelled_owned());
    }),
    ("tokio-util: run_until_cancelled_owned()", |runtime| {
        let token = CancellationToken::new();
        spawn(runtime, || {
            token.clone().run_until_cancelled_owned(pending::<()>())
        });
    }),
    ("cantok: with_token()", |runtime| {
        let token = SimpleToken::new();
        spawn(runtime, || pending::<()>().with_token(&token));
    }),
    ("tokio-util: a child token of its own", |runtime| {
        let token = CancellationToken::new();
        spawn(runtime, || token.child_token().cancelled_owned());
    }),
    ("cantok: a child of its own", |runtime| {
        let token = SimpleToken::new();
        spawn(runtime, || token.child().cancelled_owned());
    }),
];

fn measure(start: fn(&Runtime)) -> Option<usize> {
    let runtime = Builder::new_current_thread().build().unwrap();
    let before = resident_bytes()?;
    start(&runtime);
    // Longer than it takes to poll each of them once.
    runtime.block_on(async {
        for _ in 0..TASKS {
            tokio::task::yield_now().await;
        }
    });
    Some((resident_bytes()? - before) / TASKS)
}

fn main() {
    if let Ok(name) = env::var(CONTENDER) {
        let measured = CONTENDERS.iter().find(|(contender, _)| *contender == name);
        if let Some(bytes) = measured.and_then(|(_, start)| measure(*start)) {
            println!("    {name:45} {bytes:5} bytes");
        }
        return;
    }
    println!("\nmemory of a task that waits for");
    for (name, _) in CONTENDERS {
        let program = env::current_exe().unwrap();
        let status = Command::new(program).env(CONTENDER, name).status();
        assert!(status.unwrap().success(), "{name}");
    }
}
