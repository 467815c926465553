//! What the benchmarks have in common.

use criterion::{BenchmarkGroup, measurement::WallTime};
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

/// Measures `f`, once with this thread alone and once with a second one that does the same all the time.
pub(crate) fn alone_and_contended<T>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    f: impl Fn() -> T + Sync,
) {
    group.bench_function(format!("{name}/alone"), |b| b.iter(&f));
    beside(group, &format!("{name}/two threads"), &f, &f);
}

/// Measures `f` while another thread does `other` all the time.
pub(crate) fn beside<T, O>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    f: impl Fn() -> T,
    other: impl Fn() -> O + Sync,
) {
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                black_box(other());
            }
        });
        group.bench_function(name, |b| b.iter(&f));
        stop.store(true, Ordering::Relaxed);
    });
}
