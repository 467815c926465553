//! What it costs to make tokens and handles, and to drop them again.

mod support;

use cantok_core::{SimpleToken, TimeoutToken};
use criterion::Criterion;
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use support::{alone_and_contended, beside};
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

/// Whether what comes and goes on one thread slows down the checks on another.
fn check_beside(c: &mut Criterion) {
    let mut group = c.benchmark_group("check beside");

    // A flag beside the count that is written: what has to be avoided.
    let arc = Arc::new(AtomicBool::new(false));
    beside(
        &mut group,
        "clones of Arc<AtomicBool>",
        || black_box(&arc).load(Ordering::Acquire),
        || Arc::clone(&arc),
    );
    let token = SimpleToken::new();
    let check = || black_box(&token).is_cancelled();
    beside(&mut group, "nothing", check, || ());
    beside(&mut group, "clones", check, || token.clone());
    beside(&mut group, "children", check, || token.child());
    beside(&mut group, "subscriptions", check, || {
        token.subscribe(|_| {})
    });
    group.finish();
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    create(&mut criterion);
    check_beside(&mut criterion);
    criterion.final_summary();
}
