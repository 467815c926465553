//! What it costs to make tokens and handles, and to drop them again.
//!
//! On a machine that is busy with other things as well see `turns.rs` for the ratios.

#[path = "support/calls.rs"]
mod calls;
#[path = "support/create.rs"]
mod contenders;
#[path = "support/threads.rs"]
mod threads;

use calls::beside;
use cantok_core::SimpleToken;
use criterion::{BenchmarkGroup, Criterion, measurement::WallTime};
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use threads::alone_and_contended;

/// Whether what comes and goes on one thread slows down the checks on another.
fn check_beside(c: &mut Criterion) {
    let mut group = c.benchmark_group("check beside");

    // A flag beside the count that is written: what has to be avoided.
    let arc = Arc::new(AtomicBool::new(false));
    let load = || black_box(&arc).load(Ordering::Acquire);
    bench(&mut group, "clones of Arc<AtomicBool>", load, || {
        Arc::clone(&arc)
    });
    let token = SimpleToken::new();
    let check = || black_box(&token).is_cancelled();
    bench(&mut group, "nothing", check, || ());
    bench(&mut group, "clones", check, || token.clone());
    bench(&mut group, "children", check, || token.child());
    bench(&mut group, "callbacks", check, || token.on_cancel(|_| {}));
    group.finish();
}

/// Measures `f` while another thread does `other` all the time.
fn bench<T, O>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    f: impl Fn() -> T,
    other: impl Fn() -> O + Sync,
) {
    beside(|| (), other, || group.bench_function(name, |b| b.iter(&f)));
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    alone_and_contended(&mut criterion, "create", &contenders::created());
    alone_and_contended(&mut criterion, "create/deadline", &contenders::deadlines());
    alone_and_contended(&mut criterion, "create/counter", &contenders::counters());
    alone_and_contended(&mut criterion, "create/cancel", &contenders::cancelled());
    check_beside(&mut criterion);
    criterion.final_summary();
}
