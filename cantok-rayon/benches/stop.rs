//! How long it takes from the cancel until a parallel iterator has returned, for items of different lengths.

mod support;

use cantok_core::SimpleToken;
use cantok_rayon::prelude::*;
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion};
use rayon::iter::{Repeat, repeat};
use rayon::prelude::*;
use rayon_cancel::CancelAdapter;
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use support::{item_5_ns, item_20_ns, item_1000_ns};

/// What is done for each item.
type Item<'a> = &'a (dyn Fn(u64) + Sync);

/// Has `run` consume endless items on another thread, with a function to be called for each, and returns the time from
/// `cancel`, once items are under way, until it has returned.
fn latency(
    work: fn(u64) -> u64,
    run: impl FnOnce(Repeat<u64>, Item<'_>) + Send,
    cancel: impl FnOnce(),
) -> Duration {
    let is_running = AtomicBool::new(false);
    thread::scope(|scope| {
        let runner = scope.spawn(|| {
            run(repeat(1), &|number| {
                black_box(work(number));
                // Only once, so that items do not fight over the cache line.
                if !is_running.load(Ordering::Relaxed) {
                    is_running.store(true, Ordering::Relaxed);
                }
            });
            Instant::now()
        });
        while !is_running.load(Ordering::Relaxed) {
            thread::yield_now();
        }
        let start = Instant::now();
        cancel();
        runner.join().expect("no panic") - start
    })
}

/// Measures what `round` returns.
fn measure(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    mut round: impl FnMut() -> Duration,
) {
    group.bench_function(name, |b| {
        b.iter_custom(|rounds| (0..rounds).map(|_| round()).sum())
    });
}

fn stop(c: &mut Criterion) {
    let item_100_us = |number| (0..100).fold(number, |number, _| item_1000_ns(number));
    let items = [
        ("5 ns", item_5_ns as fn(u64) -> u64),
        ("20 ns", item_20_ns),
        ("1000 ns", item_1000_ns),
        ("100 us", item_100_us),
    ];
    for (name, work) in items {
        let mut group = c.benchmark_group(format!("stop/{name}"));
        group.sample_size(30);
        measure(&mut group, "rayon's take_any_while, AtomicBool", || {
            let flag = AtomicBool::new(false);
            let run = |items: Repeat<u64>, item: Item<'_>| {
                let items = items.take_any_while(|_| !flag.load(Ordering::Relaxed));
                items.for_each(item);
            };
            latency(work, run, || flag.store(true, Ordering::Relaxed))
        });
        measure(&mut group, "peer: rayon-cancel", || {
            let items = CancelAdapter::new(repeat(1));
            let canceller = items.canceller();
            let run = |_, item: Item<'_>| items.for_each(item);
            latency(work, run, || canceller.cancel())
        });
        measure(&mut group, "with_token", || {
            let token = SimpleToken::new();
            let run = |items: Repeat<u64>, item: Item<'_>| items.with_token(&token).for_each(item);
            latency(work, run, || {
                token.cancel();
            })
        });
        measure(&mut group, "try_with_token", || {
            let token = SimpleToken::new();
            let run = |items: Repeat<u64>, item: Item<'_>| {
                let results = items.try_with_token(&token);
                results.try_for_each(|number| number.map(item)).unwrap_err();
            };
            latency(work, run, || {
                token.cancel();
            })
        });
        group.finish();
    }
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    stop(&mut criterion);
    criterion.final_summary();
}
