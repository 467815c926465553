//! Once the token is cancelled, nothing is started but what had been let pass.

use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::pools::{POOLS, pool};
use cantok_core::{CancellationError, Cause, CounterToken, SimpleToken, TimeoutToken, Token};
use cantok_rayon::prelude::*;
use cantok_testkit::watchdog;
use rayon::iter::repeat;
use rayon::prelude::*;

/// Gets every thread of a pool into an item, then cancels, then lets them go.
struct Trap {
    token: SimpleToken,
    /// All threads are in an item.
    ready: Barrier,
    /// The token is cancelled.
    cancelled: Barrier,
    entered: AtomicUsize,
    threads: usize,
}

impl Trap {
    fn new(threads: usize) -> Self {
        Trap {
            token: SimpleToken::new(),
            ready: Barrier::new(threads),
            cancelled: Barrier::new(threads),
            entered: AtomicUsize::new(0),
            threads,
        }
    }

    /// To be called by each item.
    fn enter(&self) {
        if self.entered.fetch_add(1, Ordering::SeqCst) < self.threads {
            if self.ready.wait().is_leader() {
                self.token.cancel();
            }
            self.cancelled.wait();
        }
    }

    /// How many items were started.
    fn entered(&self) -> usize {
        self.entered.load(Ordering::SeqCst)
    }
}

/// Runs `job` in pools of 1, 2 and 8 threads and gives to `verify` how many items it started, and the number of
/// threads.
fn each_trap(job: impl Fn(&Trap) + Send + Sync + Copy + 'static, verify: impl Fn(usize, usize)) {
    for threads in [1, 2, 8] {
        let started = watchdog("items that are stopped", move || {
            let trap = Trap::new(threads);
            // Its own: two traps that share the threads of a pool would wait for each other.
            pool(threads).install(|| job(&trap));
            trap.entered()
        });
        verify(started, threads);
    }
}

#[test]
fn after_a_cancel_no_item_is_started_behind_with_token() {
    let exactly_one_each = |started, threads| assert_eq!(started, threads);
    each_trap(
        |trap| {
            repeat(())
                .with_token(&trap.token)
                .for_each(|()| trap.enter())
        },
        exactly_one_each,
    );
    each_trap(
        |trap| {
            let items = (0..usize::MAX).into_par_iter().with_token(&trap.token);
            items.map(|_| trap.enter()).collect::<Vec<_>>();
        },
        exactly_one_each,
    );
    each_trap(
        |trap| {
            let items = repeat(()).filter(|()| true).with_token(&trap.token);
            items.for_each(|()| trap.enter());
        },
        exactly_one_each,
    );
    each_trap(
        |trap| {
            let items = std::iter::repeat(()).par_bridge().with_token(&trap.token);
            items.for_each(|()| trap.enter());
        },
        exactly_one_each,
    );
    each_trap(
        |trap| {
            repeat(())
                .cancel_on_panic(&trap.token)
                .for_each(|()| trap.enter())
        },
        exactly_one_each,
    );
}

#[test]
fn after_a_cancel_no_item_is_started_behind_try_with_token() {
    let exactly_one_each = |started, threads| assert_eq!(started, threads);
    fn enter(trap: &Trap, result: Result<(), CancellationError>) -> Result<(), CancellationError> {
        result.map(|()| trap.enter())
    }
    each_trap(
        |trap| {
            let results = repeat(()).try_with_token(&trap.token);
            results
                .try_for_each(|result| enter(trap, result))
                .unwrap_err();
        },
        exactly_one_each,
    );
    each_trap(
        |trap| {
            let results = rayon::iter::repeat_n((), 100_000).try_with_token(&trap.token);
            let results: Vec<_> = results.map(|result| enter(trap, result)).collect();
            assert_eq!(results.len(), 100_000);
        },
        exactly_one_each,
    );
    each_trap(
        |trap| {
            let results = rayon::iter::repeat_n((), 100_000).try_with_token(&trap.token);
            results.rev().for_each(|result| drop(enter(trap, result)));
        },
        exactly_one_each,
    );
}

#[test]
fn after_a_cancel_each_thread_starts_at_most_one_item_before_the_adapter() {
    let at_most_two_each = |started, threads| {
        assert!(started <= threads * 2, "{started} on {threads} threads");
    };
    each_trap(
        |trap| {
            repeat(())
                .map(|()| trap.enter())
                .with_token(&trap.token)
                .for_each(drop)
        },
        at_most_two_each,
    );
    each_trap(
        |trap| {
            let items = (0..usize::MAX).into_par_iter().flat_map_iter(|_| [(), ()]);
            let items = items.map(|()| trap.enter());
            items.with_token(&trap.token).for_each(drop);
        },
        at_most_two_each,
    );
    // Results that are pushed, into a place that is measured.
    each_trap(
        |trap| {
            let items = rayon::iter::repeat_n((), 100_000).map(|()| trap.enter());
            let results: Vec<_> = items.try_with_token(&trap.token).collect();
            assert_eq!(results.len(), 100_000);
        },
        at_most_two_each,
    );
    // Results that are pulled: the check comes before the item.
    each_trap(
        |trap| {
            let items = rayon::iter::repeat_n((), 100_000).map(|()| trap.enter());
            assert_eq!(items.try_with_token(&trap.token).rev().count(), 100_000);
        },
        |started, threads| assert_eq!(started, threads),
    );
}

#[test]
fn nothing_is_started_under_a_token_that_is_cancelled_already() {
    for pool in &*POOLS {
        let token = SimpleToken::new();
        token.cancel();
        let started = AtomicUsize::new(0);
        let start = |item: usize| {
            started.fetch_add(1, Ordering::Relaxed);
            item
        };
        pool.install(|| {
            let items = || (0..1_000).into_par_iter();
            assert_eq!(items().with_token(&token).map(start).count(), 0);
            assert_eq!(items().map(start).with_token(&token).count(), 0);
            assert_eq!(items().map(start).cancel_on_panic(&token).count(), 0);
            assert_eq!(items().map(start).try_with_token(&token).count(), 1_000);
            assert_eq!(
                items().map(start).try_with_token(&token).rev().count(),
                1_000
            );
            let mut all = Vec::new();
            items()
                .map(start)
                .try_with_token(&token)
                .collect_into_vec(&mut all);
            assert!(all.len() == 1_000 && all.iter().all(Result::is_err));
            let tried = items().map(start).try_with_token(&token);
            assert!(tried.collect::<Result<Vec<_>, _>>().is_err());
        });
        assert_eq!(started.into_inner(), 0);
    }
}

/// On one thread the order is known.
#[test]
fn on_one_thread_the_item_that_cancels_is_the_last() {
    let [one, ..] = &*POOLS;
    for cancel_at in [0, 1, 62, 63, 64, 500, 998, 999] {
        one.install(|| {
            let token = SimpleToken::new();
            let items = (0..1_000).into_par_iter().with_token(&token);
            let seen: Vec<usize> = items
                .inspect(|item| {
                    if *item == cancel_at {
                        token.cancel();
                    }
                })
                .collect();
            assert!(seen.into_iter().eq(0..=cancel_at));
        });
    }
}

#[test]
fn a_base_that_lets_nothing_pass_is_stopped() {
    watchdog("endless items of which none passes", || {
        for pool in &*POOLS {
            pool.install(|| {
                let token = TimeoutToken::new(Duration::from_millis(5));
                let items = repeat(1).filter(|_| false).with_token(&token);
                assert_eq!(items.count(), 0);
                assert!(token.cancellation().is_some());

                let token = TimeoutToken::new(Duration::from_millis(5));
                let results = repeat(1).try_with_token(&token);
                let results = results.filter(|result| result.is_err());
                let error = results.find_any(|_| true).unwrap().unwrap_err();
                assert!(error.is_from(&token));
            });
        }
    });
}

#[test]
fn each_part_of_a_base_without_a_length_is_left_with_an_error() {
    for pool in &*POOLS {
        let asked = AtomicUsize::new(0);
        let base = (0..1_000_000).into_par_iter().filter(|_| {
            asked.fetch_add(1, Ordering::Relaxed);
            true
        });
        let results = base.try_with_token(CounterToken::new(40));
        // A terminal that never stops by itself.
        let (items, errors): (Vec<_>, Vec<_>) = pool.install(|| results.partition(Result::is_ok));
        assert_eq!(items.len(), 40);
        assert!(!errors.is_empty());
        assert_eq!(asked.into_inner(), items.len() + errors.len());
    }
}

#[test]
fn whatever_stops_at_an_error_leaves_out_the_rest_of_any_base() {
    for pool in &*POOLS {
        let threads = pool.current_num_threads();
        let asked = AtomicUsize::new(0);
        let base = (0..1_000_000).into_par_iter().flat_map(|_| {
            asked.fetch_add(1, Ordering::Relaxed);
            [1; 4]
        });
        let results = base.try_with_token(CounterToken::new(40));
        let all: Result<Vec<_>, CancellationError> = pool.install(|| results.collect());
        assert!(all.is_err());
        // Each makes four items.
        let asked = asked.into_inner();
        assert!(asked <= 40 / 4 + threads * 2, "{asked}");
    }
}

/// Also where what is before does not say how many items it has.
#[test]
fn adapters_in_a_row_start_nothing_under_a_cancelled_token() {
    for pool in &*POOLS {
        let token = SimpleToken::new();
        token.cancel();
        let counter = CounterToken::new(10_000);
        let started = AtomicUsize::new(0);
        pool.install(|| {
            let items = || {
                (0..1_000).into_par_iter().with_max_len(1).inspect(|_| {
                    started.fetch_add(1, Ordering::Relaxed);
                })
            };
            let results: Vec<_> = items()
                .try_with_token(&counter)
                .try_with_token(&token)
                .collect();
            assert!(results.len() == 1_000 && results.iter().all(Result::is_err));
            let results: Vec<_> = items().panic_fuse().try_with_token(&token).collect();
            assert!(results.len() == 1_000 && results.iter().all(Result::is_err));
            assert_eq!(items().with_token(&counter).with_token(&token).count(), 0);
        });
        assert_eq!(started.into_inner(), 0);
        assert_eq!(counter.remaining(), 10_000);
    }
}

/// A chunk is an item.
#[test]
fn after_a_cancel_each_thread_makes_at_most_one_chunk() {
    each_trap(
        |trap| {
            let items = (0..100_000).into_par_iter().map(|_| trap.enter());
            items.chunks(10).with_token(&trap.token).for_each(drop);
        },
        // The chunk in which it is trapped, and none after.
        |started, threads| {
            assert!(
                started <= threads * 10 * 2,
                "{started} on {threads} threads"
            )
        },
    );
}

#[test]
fn whatever_cancels_stops_and_is_named() {
    watchdog("endless items under tokens of every kind", || {
        for pool in &*POOLS {
            let stopped_by = |token: &dyn Fn() -> Token| {
                let (quiet, trying) = (token(), token());
                pool.install(|| repeat(()).with_token(&quiet).for_each(drop));
                let tried = pool.install(|| {
                    let results = repeat(()).try_with_token(&trying);
                    results.try_for_each(|result| result)
                });
                let (quiet, trying) = (
                    quiet.cancellation().unwrap(),
                    trying.cancellation().unwrap(),
                );
                assert_eq!(tried.unwrap_err(), trying);
                assert_eq!(quiet.to_string(), trying.to_string());
                quiet
            };
            let after = Duration::from_millis(5);
            let error = stopped_by(&|| TimeoutToken::new(after).into());
            assert_eq!(*error.cause(), Cause::Timeout { after });
            let error = stopped_by(&|| CounterToken::new(10_000).into());
            assert_eq!(*error.cause(), Cause::Counter { limit: 10_000 });
            let error = stopped_by(&|| {
                let calls = AtomicUsize::new(0);
                let condition = move || calls.fetch_add(1, Ordering::Relaxed) >= 10_000;
                cantok_core::ConditionToken::new(condition)
                    .named("enough")
                    .into()
            });
            assert_eq!(error.name(), Some("enough"));
            let error = stopped_by(&|| {
                let budget = CounterToken::new(10_000).named("budget");
                SimpleToken::new() + TimeoutToken::new(Duration::MAX) + &budget
            });
            assert_eq!(error.name(), Some("budget"));
        }
    });
}
