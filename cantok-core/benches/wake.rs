//! From the cancel to the blocked thread running again, against a condition variable; and how late deadlines are,
//! also on a machine that is busy.

#[path = "support/wake.rs"]
mod contenders;

use cantok_core::TimeoutToken;
use contenders::contenders;
use criterion::Criterion;
use std::future::Future;
use std::hint;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::task::{Context, Waker};
use std::thread;
use std::time::{Duration, Instant};

fn wake(c: &mut Criterion) {
    let mut group = c.benchmark_group("wake");
    group.sample_size(20);
    for (name, run) in contenders() {
        group.bench_function(name, |b| b.iter_custom(&run));
    }
    group.finish();
}

/// Deadlines of 1 ms: how much later the token's callback runs. Prints the percentiles, which criterion does not.
fn lateness(c: &mut Criterion) {
    let mut group = c.benchmark_group("lateness");
    group.sample_size(10);
    for (name, busy) in [("idle", 0), ("all cores busy", cores())] {
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            for _ in 0..busy {
                scope.spawn(|| {
                    while !stop.load(Ordering::Relaxed) {
                        hint::spin_loop();
                    }
                });
            }
            let mut all = Vec::new();
            group.bench_function(name, |b| {
                b.iter_custom(|rounds| {
                    let late: Vec<_> = (0..rounds).map(|_| late_by()).collect();
                    all.extend_from_slice(&late);
                    late.into_iter().sum()
                });
            });
            stop.store(true, Ordering::Relaxed);
            all.sort_unstable();
            let percentile = |p: usize| all.get(all.len() * p / 100).copied().unwrap_or_default();
            println!(
                "lateness, {name}: median {:?}, 99 % {:?}, of {}",
                percentile(50),
                percentile(99),
                all.len()
            );
        });
    }
    group.finish();
}

/// 10,000 tasks whose deadline is the same: how much later the last of them is seen cancelled.
fn crowd(c: &mut Criterion) {
    const TASKS: usize = 10_000;
    let mut group = c.benchmark_group("lateness");
    group.sample_size(10);
    group.bench_function("the last of 10,000 at once", |b| {
        b.iter_custom(|rounds| {
            (0..rounds)
                .map(|_| {
                    let at = Instant::now() + Duration::from_millis(50);
                    let tokens: Vec<_> = (0..TASKS).map(|_| TimeoutToken::at(at)).collect();
                    let mut context = Context::from_waker(Waker::noop());
                    let mut tasks: Vec<_> = tokens.iter().map(|token| token.cancelled()).collect();
                    for task in &mut tasks {
                        assert!(Pin::new(task).poll(&mut context).is_pending());
                    }
                    // Spinning until then would keep a core from the timer.
                    thread::sleep(at.saturating_duration_since(Instant::now()));
                    while tokens[TASKS - 1].keep_on() {
                        hint::spin_loop();
                    }
                    let late = at.elapsed();
                    drop(tasks);
                    late
                })
                .sum()
        });
    });
    group.finish();
}

/// From a deadline to the moment in which a callback of the token is called.
fn late_by() -> Duration {
    let token = TimeoutToken::new(Duration::from_millis(1));
    let (sender, receiver) = mpsc::channel();
    let registration = token.on_cancel(move |_| {
        let _ = sender.send(Instant::now());
    });
    let late =
        receiver.recv().expect("the deadline passes") - token.deadline().expect("it has one");
    drop(registration);
    late
}

fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    wake(&mut criterion);
    lateness(&mut criterion);
    crowd(&mut criterion);
    criterion.final_summary();
}
