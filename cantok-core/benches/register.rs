//! What a callback costs that is registered and taken back, beside 1 to 100,000 others.

use cantok_core::SimpleToken;
use criterion::{BenchmarkId, Criterion};

fn register(c: &mut Criterion) {
    let mut group = c.benchmark_group("register");
    for others in [1, 100, 10_000, 100_000] {
        let token = SimpleToken::new();
        let _others: Vec<_> = (0..others).map(|_| token.on_cancel(|_| {})).collect();
        group.bench_function(BenchmarkId::new("on_cancel and drop", others), |b| {
            b.iter(|| drop(token.on_cancel(|_| {})));
        });
    }
    group.finish();
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    register(&mut criterion);
    criterion.final_summary();
}
