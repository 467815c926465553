//! Calls measured by criterion, one contender after the other.

use crate::calls::{Contender, Threads};
use criterion::Criterion;

/// Measures each contender, once with this thread alone and once with a second one that does the same all the time.
pub(crate) fn alone_and_contended(c: &mut Criterion, name: &str, contenders: &[Contender]) {
    let mut group = c.benchmark_group(name);
    for (contender, run) in contenders {
        for (name, threads) in [("alone", Threads::One), ("two threads", Threads::Two)] {
            group.bench_function(format!("{contender}/{name}"), |b| {
                b.iter_custom(|calls| run(threads, calls));
            });
        }
    }
    group.finish();
}
