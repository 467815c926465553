//! From the cancel to the blocked thread running again, against a condition variable; and how late deadlines are,
//! also on a machine that is busy.

use cantok_core::{SimpleToken, TimeoutToken};
use criterion::Criterion;
use std::hint;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Condvar, Mutex};
use std::task::Waker;
use std::thread;
use std::time::{Duration, Instant};

/// Long enough for the other thread to be asleep.
const PAUSE: Duration = Duration::from_micros(200);

/// A thread that blocks in what it is sent, and sends back when it woke up.
struct Sleeper<T> {
    work: Sender<T>,
    woken: Receiver<Instant>,
}

impl<T: Send + 'static> Sleeper<T> {
    fn new(block: impl Fn(T) + Send + 'static) -> Self {
        let (work, received) = mpsc::channel();
        let (sender, woken) = mpsc::channel();
        thread::spawn(move || {
            for work in received {
                block(work);
                if sender.send(Instant::now()).is_err() {
                    return;
                }
            }
        });
        Sleeper { work, woken }
    }

    fn measure(&self, work: T, wake: impl FnOnce()) -> Duration {
        self.work.send(work).expect("the thread lives");
        thread::sleep(PAUSE);
        let start = Instant::now();
        wake();
        self.woken.recv().expect("the thread lives") - start
    }
}

fn wake(c: &mut Criterion) {
    let mut group = c.benchmark_group("wake");
    group.sample_size(20);

    type Flag = Arc<(Mutex<bool>, Condvar)>;
    let sleeper = Sleeper::new(|flag: Flag| {
        let mut set = flag.0.lock().expect("not poisoned");
        while !*set {
            set = flag.1.wait(set).expect("not poisoned");
        }
    });
    group.bench_function("limit: condvar", |b| {
        b.iter_custom(|rounds| {
            (0..rounds)
                .map(|_| {
                    let flag = Flag::default();
                    sleeper.measure(Arc::clone(&flag), || {
                        *flag.0.lock().expect("not poisoned") = true;
                        flag.1.notify_one();
                    })
                })
                .sum()
        });
    });

    let sleeper = Sleeper::new(|token: SimpleToken| drop(token.wait()));
    group.bench_function("cancel", |b| {
        b.iter_custom(|rounds| {
            (0..rounds)
                .map(|_| {
                    let token = SimpleToken::new();
                    sleeper.measure(token.clone(), || assert!(token.cancel()))
                })
                .sum()
        });
    });
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
                    let tasks: Vec<_> = tokens
                        .iter()
                        .map(|token| token.subscribe_waker(Waker::noop()))
                        .collect();
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
