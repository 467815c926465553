//! What it costs to make tokens and handles, and to drop them again.

mod support;

use cantok_core::{SimpleToken, TimeoutToken};
use criterion::Criterion;
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use support::alone_and_contended;
use tokio_util::sync::CancellationToken;

fn create(c: &mut Criterion) {
    let mut group = c.benchmark_group("create");

    let tokio = CancellationToken::new();
    alone_and_contended(&mut group, "child, peer: tokio-util", || {
        drop(black_box(tokio.child_token()));
    });
    let token = SimpleToken::new();
    alone_and_contended(&mut group, "child", || drop(black_box(token.child())));

    alone_and_contended(&mut group, "root and timeout", || {
        drop(black_box(
            &token + TimeoutToken::new(Duration::from_secs(3600)),
        ));
    });

    let arc = Arc::new(AtomicBool::new(false));
    alone_and_contended(&mut group, "clone, limit: Arc", || {
        drop(black_box(Arc::clone(&arc)));
    });
    alone_and_contended(&mut group, "clone, peer: tokio-util", || {
        drop(black_box(tokio.clone()));
    });
    alone_and_contended(&mut group, "clone", || drop(black_box(token.clone())));
    group.finish();
}

/// Whether handles that come and go on one thread slow down the checks on another.
fn check_beside_clones(c: &mut Criterion) {
    use std::sync::atomic::Ordering;
    use std::thread;

    let mut group = c.benchmark_group("check beside clones");
    let stop = AtomicBool::new(false);
    let token = SimpleToken::new();
    group.bench_function("alone", |b| b.iter(|| black_box(&token).is_cancelled()));
    thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                drop(black_box(token.clone()));
            }
        });
        group.bench_function("beside a thread that clones", |b| {
            b.iter(|| black_box(&token).is_cancelled());
        });
        stop.store(true, Ordering::Relaxed);
    });
    group.finish();
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    create(&mut criterion);
    check_beside_clones(&mut criterion);
    criterion.final_summary();
}
