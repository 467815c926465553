//! What a token costs in a parallel sum: plain rayon, its own adapters that stop, rayon-cancel and ours, for items from
//! the smallest to long ones.

mod support;

use cantok_core::{CancellationError, SimpleToken, Token};
use cantok_rayon::prelude::*;
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, SamplingMode, Throughput};
use rayon::prelude::*;
use rayon_cancel::CancelAdapter;
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};
use support::{ITEMS, work};

/// All contenders, for items that cost what `work` does.
fn contenders(
    group: &mut BenchmarkGroup<'_, WallTime>,
    numbers: &[u64],
    work: impl Fn(u64) -> u64 + Sync,
) {
    let token = Token::from(SimpleToken::new());
    let flag = AtomicBool::new(false);
    let work = |number: &u64| work(*number);
    group.throughput(Throughput::Elements(numbers.len() as u64));
    group.sampling_mode(SamplingMode::Flat);

    group.bench_function("plain", |b| {
        b.iter(|| black_box(numbers).par_iter().map(work).sum::<u64>())
    });
    group.bench_function("rayon's panic_fuse", |b| {
        b.iter(|| {
            let items = black_box(numbers).par_iter().panic_fuse();
            items.map(work).sum::<u64>()
        })
    });
    group.bench_function("rayon's take_any_while, AtomicBool", |b| {
        b.iter(|| {
            let go_on = |_: &&u64| !flag.load(Ordering::Relaxed);
            let items = black_box(numbers).par_iter().take_any_while(go_on);
            items.map(work).sum::<u64>()
        })
    });
    group.bench_function("peer: rayon-cancel", |b| {
        b.iter(|| {
            let items = CancelAdapter::new(black_box(numbers).par_iter());
            items.map(work).sum::<u64>()
        })
    });
    group.bench_function("with_token", |b| {
        b.iter(|| {
            let items = black_box(numbers).par_iter().with_token(&token);
            items.map(work).sum::<u64>()
        })
    });
    group.bench_function("try_with_token", |b| {
        b.iter(|| {
            let items = black_box(numbers).par_iter().try_with_token(&token);
            items
                .map(|number| number.map(work))
                .sum::<Result<u64, CancellationError>>()
        })
    });
    group.bench_function("cancel_on_panic", |b| {
        b.iter(|| {
            let items = black_box(numbers).par_iter().cancel_on_panic(&token);
            items.map(work).sum::<u64>()
        })
    });
}

fn small(c: &mut Criterion) {
    // More than caches hold: memory sets the pace, about 0.2 to 0.3 ns for each item.
    let numbers: Vec<u64> = (0..16_000_000).collect();
    let mut group = c.benchmark_group("0.3 ns: sum of u64 from memory");
    contenders(&mut group, &numbers, |number| number);
    group.finish();

    // Without checks the compiler adds up several numbers at a time.
    let numbers = &numbers[..1_000_000];
    let mut group = c.benchmark_group("0.1 ns: sum of u64 from cache");
    contenders(&mut group, numbers, |number| number);
    group.finish();

    let mut group = c.benchmark_group("0.3 ns: sum of u64 one by one");
    contenders(&mut group, numbers, black_box);
    group.finish();
}

fn larger(c: &mut Criterion) {
    for (name, steps) in ITEMS {
        let numbers: Vec<u64> = (0..3_000_000 / u64::from(steps)).collect();
        let mut group = c.benchmark_group(name);
        contenders(&mut group, &numbers, |number| work(number, steps));
        group.finish();
    }
}

/// Without a known length rayon collects into many vectors and puts them together.
fn collect(c: &mut Criterion) {
    let token = Token::from(SimpleToken::new());
    let flag = AtomicBool::new(false);
    let numbers: Vec<u64> = (0..1_000_000).collect();
    let items = || black_box(&numbers).par_iter();
    let mut group = c.benchmark_group("collect a million u64");
    group.throughput(Throughput::Elements(numbers.len() as u64));
    group.bench_function("plain", |b| {
        b.iter(|| items().map(|number| number ^ 5).collect::<Vec<_>>())
    });
    group.bench_function("rayon's take_any_while, AtomicBool", |b| {
        b.iter(|| {
            let items = items().take_any_while(|_| !flag.load(Ordering::Relaxed));
            items.map(|number| number ^ 5).collect::<Vec<_>>()
        })
    });
    group.bench_function("with_token", |b| {
        b.iter(|| {
            let items = items().with_token(&token);
            items.map(|number| number ^ 5).collect::<Vec<_>>()
        })
    });
    group.bench_function("plain, into a Result", |b| {
        b.iter(|| {
            let items = items().map(|number| Ok(number ^ 5));
            items.collect::<Result<Vec<_>, CancellationError>>()
        })
    });
    group.bench_function("try_with_token, into a Result", |b| {
        b.iter(|| {
            let items = items().try_with_token(&token);
            let items = items.map(|number| number.map(|number| number ^ 5));
            items.collect::<Result<Vec<_>, CancellationError>>()
        })
    });
    group.finish();
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    small(&mut criterion);
    larger(&mut criterion);
    collect(&mut criterion);
    criterion.final_summary();
}
