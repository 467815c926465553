//! Groups of contenders for criterion, for the benchmarks of the adapters. `turns.rs` has the same ones take turns.

use criterion::{Criterion, SamplingMode, Throughput};
use std::time::Duration;

/// Measures one contender after the other. A contender is a name and what takes the time that it returns.
pub(crate) fn measure<F: Fn() -> Duration>(
    criterion: &mut Criterion,
    name: &str,
    calls: u64,
    contenders: &[(&str, F)],
) {
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Elements(calls));
    group.sampling_mode(SamplingMode::Flat);
    for (contender, run) in contenders {
        group.bench_function(*contender, |b| {
            b.iter_custom(|runs| (0..runs).map(|_| run()).sum());
        });
    }
    group.finish();
}
