//! Counts instructions under callgrind: a change that makes an operation slower fails here, on any machine. Each limit is
//! what was counted, and a tenth.

use cantok_core::{ConditionToken, CounterToken, SimpleToken, TimeoutToken, Token};
use gungraun::{Callgrind, EventKind, prelude::*};
use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

/// The operation is repeated so often, so that what surrounds it hardly counts.
const TIMES: u64 = 1_000;

const HOUR: Duration = Duration::from_secs(3600);

/// A limit of so many instructions for one operation.
fn at_most(instructions: u64) -> LibraryBenchmarkConfig {
    let mut config = LibraryBenchmarkConfig::default();
    let mut callgrind = Callgrind::default();
    callgrind.hard_limits([(EventKind::Ir, instructions * TIMES * 11 / 10)]);
    config.tool(callgrind);
    config
}

/// Checked often enough to be armed.
fn armed(token: impl Into<Token>) -> Token {
    let token = token.into();
    (0..100).for_each(|_| assert!(token.keep_on()));
    token
}

fn simple() -> Token {
    armed(SimpleToken::new())
}

fn sum_with_a_deadline() -> Token {
    armed(SimpleToken::new() + TimeoutToken::new(HOUR))
}

fn quick_start() -> Token {
    armed(
        SimpleToken::new()
            + ConditionToken::new(|| black_box(false))
            + CounterToken::new(1_000_000)
            + TimeoutToken::new(HOUR),
    )
}

fn each(mut operation: impl FnMut()) {
    for _ in 0..TIMES {
        operation();
    }
}

#[library_benchmark]
#[bench::simple(args = (), setup = simple, config = at_most(8))]
#[bench::sum_with_a_deadline(args = (), setup = sum_with_a_deadline, config = at_most(9))]
#[bench::quick_start(args = (), setup = quick_start, config = at_most(69))]
fn check(token: Token) {
    each(|| assert!(!black_box(&token).is_cancelled()));
}

#[library_benchmark(setup = SimpleToken::new)]
#[bench::simple(args = (), config = at_most(250))]
fn make_simple(_root: SimpleToken) {
    each(|| drop(black_box(SimpleToken::new())));
}

#[library_benchmark(setup = SimpleToken::new)]
#[bench::child(args = (), config = at_most(402))]
fn make_child(root: SimpleToken) {
    each(|| drop(black_box(root.child())));
}

#[library_benchmark(setup = SimpleToken::new)]
#[bench::root_and_timeout(args = (), config = at_most(850))]
fn make_root_and_timeout(root: SimpleToken) {
    each(|| drop(black_box(&root + TimeoutToken::new(black_box(HOUR)))));
}

#[library_benchmark(setup = SimpleToken::new)]
#[bench::root_and_counter(args = (), config = at_most(802))]
fn make_root_and_counter(root: SimpleToken) {
    each(|| drop(black_box(&root + CounterToken::new(black_box(1_000)))));
}

#[library_benchmark(setup = SimpleToken::new)]
#[bench::quick_start(args = (), config = at_most(2_399))]
fn make_quick_start(_root: SimpleToken) {
    each(|| {
        drop(black_box(
            SimpleToken::new()
                + ConditionToken::new(|| black_box(false))
                + CounterToken::new(black_box(1_000))
                + TimeoutToken::new(black_box(HOUR)),
        ));
    });
}

#[library_benchmark(setup = SimpleToken::new)]
#[bench::simple(args = (), config = at_most(513))]
fn make_and_cancel(_root: SimpleToken) {
    each(|| {
        let token = SimpleToken::new();
        token.cancel();
        drop(black_box(token));
    });
}

#[library_benchmark(setup = SimpleToken::new)]
#[bench::simple(args = (), config = at_most(185))]
fn register_a_callback(token: SimpleToken) {
    each(|| drop(black_box(token.on_cancel(|_| {}))));
}

#[library_benchmark(setup = SimpleToken::new)]
#[bench::simple(args = (), config = at_most(225))]
fn poll_cancelled(token: SimpleToken) {
    let mut context = Context::from_waker(Waker::noop());
    each(|| {
        let cancelled = pin!(token.cancelled());
        assert!(cancelled.poll(&mut context).is_pending());
    });
}

library_benchmark_group!(
    name = core,
    benchmarks = [
        check,
        make_simple,
        make_child,
        make_root_and_timeout,
        make_root_and_counter,
        make_quick_start,
        make_and_cancel,
        register_a_callback,
        poll_cancelled
    ]
);

main!(library_benchmark_groups = core);
