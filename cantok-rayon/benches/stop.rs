//! How long it takes from the cancel until a parallel iterator has returned, for items of different lengths.

mod support;

use cantok_core::SimpleToken;
use cantok_rayon::prelude::*;
use criterion::Criterion;
use rayon::iter::{Repeat, repeat};
use rayon::prelude::*;
use rayon_cancel::CancelAdapter;
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use support::work;

/// Has `run` consume endless items on another thread, with a function to be called for each, and returns the time from
/// `cancel`, once items are under way, until it has returned.
fn latency(
    steps: u32,
    run: impl FnOnce(Repeat<u64>, &(dyn Fn(u64) + Sync)) + Send,
    cancel: impl FnOnce(),
) -> Duration {
    let is_running = AtomicBool::new(false);
    thread::scope(|scope| {
        let runner = scope.spawn(|| {
            run(repeat(1), &|number| {
                black_box(work(number, steps));
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

fn stop(c: &mut Criterion) {
    for (items, steps) in [
        ("5 ns", 3),
        ("20 ns", 12),
        ("1000 ns", 620),
        ("100 us", 62_000),
    ] {
        let mut group = c.benchmark_group(format!("stop/{items}"));
        group.sample_size(30);
        group.bench_function("take_any_while, AtomicBool", |b| {
            b.iter_custom(|rounds| {
                let round = || {
                    let flag = AtomicBool::new(false);
                    latency(
                        steps,
                        |items, item| {
                            let items = items.take_any_while(|_| !flag.load(Ordering::Relaxed));
                            items.for_each(item);
                        },
                        || flag.store(true, Ordering::Relaxed),
                    )
                };
                (0..rounds).map(|_| round()).sum()
            })
        });
        group.bench_function("peer: rayon-cancel", |b| {
            b.iter_custom(|rounds| {
                let round = || {
                    let items = CancelAdapter::new(repeat(1));
                    let canceller = items.canceller();
                    latency(steps, |_, item| items.for_each(item), || canceller.cancel())
                };
                (0..rounds).map(|_| round()).sum()
            })
        });
        group.bench_function("with_token", |b| {
            b.iter_custom(|rounds| {
                let round = || {
                    let token = SimpleToken::new();
                    latency(
                        steps,
                        |items, item| items.with_token(&token).for_each(item),
                        || {
                            token.cancel();
                        },
                    )
                };
                (0..rounds).map(|_| round()).sum()
            })
        });
        group.bench_function("try_with_token", |b| {
            b.iter_custom(|rounds| {
                let round = || {
                    let token = SimpleToken::new();
                    latency(
                        steps,
                        |items, item| {
                            let results = items.try_with_token(&token);
                            results.try_for_each(|number| number.map(item)).unwrap_err();
                        },
                        || {
                            token.cancel();
                        },
                    )
                };
                (0..rounds).map(|_| round()).sum()
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
