//! Whatever is spawned, cancelled, dropped and awaited at once: all work ends, and nothing is lost.
#![cfg(feature = "tokio-util")]

use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::thread;
use std::time::Duration;

use crate::support::runtimes::runtimes;
use cantok_core::adapter::TokenAdapterExt as _;
use cantok_core::{SimpleToken, Token};
use cantok_testkit::watchdog;
use cantok_tokio::prelude::*;
use cantok_tokio::time::timeout_token;
use cantok_tokio::{Spawned, spawn_blocking_with_token, spawn_with_token};
use tokio::runtime::Builder;
use tokio::select;
use tokio::task::{JoinSet, yield_now};
use tokio_util::task::TaskTracker;

/// Marsaglia's xorshift, so that a run can be repeated as far as threads allow.
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

#[derive(Default)]
struct Counts {
    spawned: AtomicUsize,
    started: AtomicUsize,
    ended: AtomicUsize,
    /// Dropped without having started.
    skipped: AtomicUsize,
    /// Outputs that came, and those that were waited for.
    outputs: AtomicUsize,
    awaited: AtomicUsize,
}

fn count(counter: &AtomicUsize) {
    counter.fetch_add(1, Ordering::SeqCst);
}

/// What a piece of work owns.
struct Job {
    counts: Arc<Counts>,
    has_started: bool,
    _tracked: tokio_util::task::task_tracker::TaskTrackerToken,
}

impl Job {
    fn new(counts: &Arc<Counts>, tracker: &TaskTracker) -> Job {
        count(&counts.spawned);
        Job {
            counts: counts.clone(),
            has_started: false,
            _tracked: tracker.token(),
        }
    }

    fn start(&mut self) {
        self.has_started = true;
        count(&self.counts.started);
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        match self.has_started {
            true => count(&self.counts.ended),
            false => count(&self.counts.skipped),
        }
    }
}

/// Any work.
enum Work {
    Tokio(Spawned<()>),
    #[cfg(feature = "rayon")]
    Rayon(cantok_tokio::SpawnedRayon<()>),
}

impl Work {
    fn token(&self) -> &Token {
        match self {
            Work::Tokio(work) => work.token(),
            #[cfg(feature = "rayon")]
            Work::Rayon(work) => work.token(),
        }
    }

    fn detach(self) {
        match self {
            Work::Tokio(work) => drop(work.detach()),
            #[cfg(feature = "rayon")]
            Work::Rayon(work) => work.detach(),
        }
    }

    /// Work that waits for its token, or for `turns` turns.
    fn spawn(given: &Token, mut job: Job, kind: u64, turns: u64) -> Work {
        let on_a_thread = move |token: Token, mut job: Job| {
            job.start();
            for _ in 0..turns {
                if token.is_cancelled() {
                    break;
                }
                thread::yield_now();
            }
        };
        match kind {
            #[cfg(feature = "rayon")]
            0 => Work::Rayon(cantok_tokio::spawn_rayon_with_token(given, move |token| {
                on_a_thread(token, job);
            })),
            1 => Work::Tokio(spawn_blocking_with_token(given, move |token| {
                on_a_thread(token, job);
            })),
            _ => Work::Tokio(spawn_with_token(given, |token| async move {
                job.start();
                let work = async {
                    for _ in 0..turns {
                        yield_now().await;
                    }
                };
                let _ = work.with_token(token).await;
                // A stopped task ends by itself.
                yield_now().await;
            })),
        }
    }
}

impl Future for Work {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match self.get_mut() {
            Work::Tokio(work) => Pin::new(work).poll(cx).map(Result::unwrap),
            #[cfg(feature = "rayon")]
            Work::Rayon(work) => Pin::new(work).poll(cx),
        }
    }
}

/// Spawns some work at once, and does something else with each piece of it.
async fn batch(
    random: &mut Random,
    root: &Token,
    counts: &Arc<Counts>,
    tracker: &TaskTracker,
    may_detach: bool,
) {
    let given: Token = match random.below(4) {
        0 => timeout_token(Duration::from_millis(random.below(3))) + root,
        _ => root.child().into(),
    };
    let bridge = given.to_tokio();
    let mut awaited = Vec::new();
    for _ in 0..random.below(10) {
        let job = Job::new(counts, tracker);
        let turns = match random.below(2) {
            0 => random.below(20),
            _ => u64::MAX,
        };
        let mut work = Work::spawn(&given, job, random.below(4), turns);
        match random.below(7) {
            0 => {
                let token = work.token().clone();
                drop(work);
                assert!(token.is_cancelled());
            }
            1 => drop(tokio::spawn(async move {
                yield_now().await;
                drop(work);
            })),
            2 if may_detach => work.detach(),
            3 => {
                work.token().cancel();
                awaited.push(work);
            }
            4 => {
                let has_ended = select! {
                    biased;
                    () = &mut work => true,
                    () = ready(()) => false,
                };
                match has_ended {
                    true => {
                        count(&counts.awaited);
                        count(&counts.outputs);
                    }
                    false => awaited.push(work),
                }
            }
            5 => yield_now().await,
            _ => awaited.push(work),
        }
    }
    // What goes on without an end is stopped before anything is awaited.
    match random.below(2) {
        0 => drop(given.cancel()),
        _ => drop(given.drop_guard()),
    }
    bridge.cancelled().await;
    for work in awaited {
        count(&counts.awaited);
        work.await;
        count(&counts.outputs);
    }
}

#[test]
fn all_work_ends_whatever_is_done_to_it() {
    const DRIVERS: u64 = 16;
    const BATCHES: usize = 200;
    watchdog("work that is spawned and given up at random", || {
        let mut builder = Builder::new_multi_thread();
        let runtime = builder.worker_threads(4).enable_time().build().unwrap();
        let counts = Arc::<Counts>::default();
        let tracker = TaskTracker::new();
        let root = SimpleToken::new();
        runtime.block_on(async {
            let mut drivers = JoinSet::new();
            for driver in 1..=DRIVERS {
                let (counts, tracker) = (counts.clone(), tracker.clone());
                let root = Token::from(&root);
                drivers.spawn(async move {
                    let mut random = Random::new(driver);
                    for _ in 0..BATCHES {
                        batch(&mut random, &root, &counts, &tracker, true).await;
                    }
                });
            }
            drivers.join_all().await;
            tracker.close();
            tracker.wait().await;
        });
        let read = |counter: &AtomicUsize| counter.load(Ordering::SeqCst);
        assert!(root.keep_on());
        assert!(read(&counts.started) > 0);
        assert_eq!(read(&counts.started), read(&counts.ended));
        assert_eq!(
            read(&counts.spawned),
            read(&counts.started) + read(&counts.skipped)
        );
        assert_eq!(read(&counts.awaited), read(&counts.outputs));
    });
}

#[test]
fn all_work_ends_with_its_runtime() {
    watchdog("runtimes that are shut down while all work", || {
        for round in 1..=50 {
            for runtime in runtimes() {
                let counts = Arc::<Counts>::default();
                let tracker = TaskTracker::new();
                let root = Token::from(SimpleToken::new());
                let drivers: Vec<_> = (1..=4)
                    .map(|driver| {
                        let mut random = Random::new(driver * round);
                        let (root, counts, tracker) =
                            (root.clone(), counts.clone(), tracker.clone());
                        runtime.spawn(async move {
                            loop {
                                batch(&mut random, &root, &counts, &tracker, false).await;
                            }
                        })
                    })
                    .collect();
                runtime.block_on(async {
                    for _ in 0..50 {
                        yield_now().await;
                    }
                });
                // With its tasks, and so with those who wait for work.
                drop(runtime);
                assert!(root.keep_on() && drivers.iter().all(|driver| driver.is_finished()));
                tracker.close();
                // On rayon's threads some may be under way.
                pollster::block_on(tracker.wait());
                let read = |counter: &AtomicUsize| counter.load(Ordering::SeqCst);
                assert_eq!(read(&counts.started), read(&counts.ended));
                assert_eq!(
                    read(&counts.spawned),
                    read(&counts.started) + read(&counts.skipped)
                );
            }
        }
    });
}

/// On several threads, with and without a cancel from here.
#[test]
fn timers_may_be_dropped_while_they_expire() {
    const TASKS: usize = 8;
    const EACH: usize = 2_000;
    watchdog("timers that are dropped while they expire", || {
        let [_, runtime] = runtimes();
        let told = Arc::<AtomicUsize>::default();
        let attached = Arc::new(());
        let (kept, cancelled): (Vec<_>, Vec<_>) = runtime.block_on(async {
            let mut tasks = JoinSet::new();
            for task in 1..=TASKS {
                let (told, attached) = (told.clone(), attached.clone());
                tasks.spawn(async move {
                    let mut random = Random::new(task as u64);
                    let (mut kept, mut cancelled) = (Vec::new(), 0);
                    for _ in 0..EACH {
                        let token = timeout_token(Duration::from_micros(random.below(2_000)));
                        let told = told.clone();
                        token.on_cancel(move |_| count(&told)).detach();
                        token.attach(attached.clone());
                        kept.push(token);
                        let length = kept.len() as u64;
                        let at = random.below(length) as usize;
                        match random.below(3) {
                            0 => drop(kept.swap_remove(at)),
                            1 => {
                                kept.swap_remove(at).cancel();
                                cancelled += 1;
                            }
                            _ => {}
                        }
                        if random.below(64) == 0 {
                            yield_now().await;
                        }
                    }
                    (kept, cancelled)
                });
            }
            tasks.join_all().await.into_iter().unzip()
        });
        let kept: Vec<Token> = kept.into_iter().flatten().collect();
        for token in &kept {
            pollster::block_on(token.cancelled());
        }
        drop(runtime);
        let at_least = kept.len() + cancelled.iter().sum::<usize>();
        assert!((at_least..=TASKS * EACH).contains(&told.load(Ordering::SeqCst)));
        drop(kept);
        assert_eq!(Arc::strong_count(&attached), 1);
    });
}
