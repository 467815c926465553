//! What a token costs in a future and in a stream, measured by criterion, one contender after the other.
//!
//! On a machine that is busy with other things as well see `turns.rs` for the ratios.

#[path = "support/contenders.rs"]
mod contenders;

use contenders::each_group;
use criterion::{Criterion, SamplingMode, Throughput};

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    each_group(|name, calls, contenders| {
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Elements(calls));
        group.sampling_mode(SamplingMode::Flat);
        for (contender, run) in contenders {
            group.bench_function(*contender, |b| {
                b.iter_custom(|runs| (0..runs).map(|_| run()).sum());
            });
        }
        group.finish();
    });
    criterion.final_summary();
}
