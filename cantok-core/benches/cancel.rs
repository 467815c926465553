//! What a cancel costs, by how many tokens derive from the cancelled one.
//!
//! On a machine that is busy with other things as well see `turns.rs` for the ratios.

#[path = "support/cancel.rs"]
mod contenders;

use contenders::contenders;
use criterion::{BenchmarkId, Criterion};

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("cancel");
    group.sample_size(20);
    for children in [1, 100, 10_000, 100_000] {
        for (name, run) in contenders(children) {
            group.bench_function(BenchmarkId::new(name, children), |b| b.iter_custom(&run));
        }
    }
    group.finish();
    criterion.final_summary();
}
