//! Calls that take nanoseconds, and how they are timed: for criterion as well as in turns.

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Who makes the calls.
#[derive(Clone, Copy)]
pub(crate) enum Threads {
    /// The measured thread alone.
    One,
    /// And a second one, which does the same all the time.
    Two,
}

/// A name, and what takes the time of that many calls.
pub(crate) type Contender = (&'static str, Box<dyn Fn(Threads, u64) -> Duration>);

/// A contender that calls `f`.
pub(crate) fn call<T>(name: &'static str, f: impl Fn() -> T + Sync + 'static) -> Contender {
    call_within(name, || (), f)
}

/// Like [`call`], on threads that hold the guard that `enter` returns.
pub(crate) fn call_within<T, G>(
    name: &'static str,
    enter: impl Fn() -> G + Sync + 'static,
    f: impl Fn() -> T + Sync + 'static,
) -> Contender {
    let run = move |threads, calls| {
        let _entered = enter();
        match threads {
            Threads::One => time(calls, &f),
            Threads::Two => beside(&enter, &f, || time(calls, &f)),
        }
    };
    (name, Box::new(run))
}

fn time<T>(calls: u64, f: impl Fn() -> T) -> Duration {
    let start = Instant::now();
    for _ in 0..calls {
        black_box(f());
    }
    start.elapsed()
}

/// Calls `f` once while another thread, which holds the guard that `enter` returns, calls `other` all the time.
pub(crate) fn beside<T, O, G>(
    enter: impl Fn() -> G + Sync,
    other: impl Fn() -> O + Sync,
    f: impl FnOnce() -> T,
) -> T {
    let (started, stop) = (AtomicBool::new(false), AtomicBool::new(false));
    thread::scope(|scope| {
        scope.spawn(|| {
            let _entered = enter();
            while !stop.load(Ordering::Relaxed) {
                black_box(other());
                started.store(true, Ordering::Relaxed);
            }
        });
        while !started.load(Ordering::Relaxed) {
            thread::yield_now();
        }
        let result = f();
        stop.store(true, Ordering::Relaxed);
        result
    })
}
