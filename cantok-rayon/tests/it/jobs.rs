//! `join`, `scope` and `spawn` skip what has not started, and say so.

use std::error::Error;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Barrier, mpsc};

use crate::pools::{POOLS, pool};
use cantok_core::{CancellationError, Cause, CounterToken, SimpleToken, Token};
use cantok_rayon::{Scope, ScopeError, join, scope, spawn};
use cantok_testkit::watchdog;
use rayon::prelude::*;

#[test]
fn a_join_returns_both_values() {
    for pool in &*POOLS {
        let both = pool.install(|| join(SimpleToken::new(), || 1, || "two"));
        assert_eq!(both.unwrap(), (1, "two"));
    }
}

#[test]
fn a_join_starts_neither_closure_under_a_cancelled_token() {
    for pool in &*POOLS {
        let token = SimpleToken::new();
        token.cancel_with("enough");
        let started = AtomicUsize::new(0);
        let start = || started.fetch_add(1, Ordering::Relaxed);
        let error = pool.install(|| join(&token, start, start)).unwrap_err();
        assert!(error.is_from(&token));
        assert_eq!(error.to_string(), "cancelled: enough");
        assert_eq!(started.into_inner(), 0);
    }
}

#[test]
fn a_join_spends_a_unit_for_each_closure_it_starts() {
    for pool in &*POOLS {
        for units in 0..4 {
            let counter = CounterToken::new(units);
            let started = AtomicUsize::new(0);
            let start = || started.fetch_add(1, Ordering::Relaxed);
            let both = pool.install(|| join(&counter, start, start));
            assert_eq!(both.is_ok(), units >= 2);
            assert_eq!(started.into_inner() as u64, units.min(2));
            assert_eq!(counter.remaining(), units.saturating_sub(2));
        }
    }
}

/// On one thread `a` is done before `b` is taken up.
#[test]
fn a_join_does_not_start_b_if_a_cancels() {
    let token = SimpleToken::new();
    let [one, ..] = &*POOLS;
    let both = one.install(|| join(&token, || token.cancel(), || panic!("b was started")));
    assert!(both.unwrap_err().is_from(&token));
}

#[test]
fn a_recursive_join_is_stopped_at_every_depth() {
    fn leaves(depth: u32, token: &Token) -> Result<u64, CancellationError> {
        if depth == 0 {
            return Ok(1);
        }
        let (left, right) = join(
            token,
            || leaves(depth - 1, token),
            || leaves(depth - 1, token),
        )?;
        Ok(left? + right?)
    }
    for pool in &*POOLS {
        assert_eq!(pool.install(|| leaves(8, &Token::never())).unwrap(), 256);
        // A tree of depth 8 has 510 nodes below its root.
        let exact = CounterToken::new(510);
        assert_eq!(pool.install(|| leaves(8, &exact)).unwrap(), 256);
        let error = pool
            .install(|| leaves(8, &CounterToken::new(509)))
            .unwrap_err();
        assert_eq!(*error.cause(), Cause::Counter { limit: 509 });
    }
}

#[test]
fn a_scope_runs_all_its_jobs_and_returns_the_value() {
    for pool in &*POOLS {
        let done = AtomicUsize::new(0);
        let value = pool.install(|| {
            scope(SimpleToken::new(), |s| {
                for _ in 0..100 {
                    s.spawn(|s| {
                        s.spawn(|_| {
                            done.fetch_add(1, Ordering::Relaxed);
                        });
                    });
                }
                "value"
            })
        });
        assert_eq!(value.unwrap(), "value");
        assert_eq!(done.into_inner(), 100);
    }
}

#[test]
fn a_scope_counts_exactly_what_it_skipped() {
    for pool in &*POOLS {
        for units in [1_usize, 50, 99, 100, 101] {
            let counter = CounterToken::new(units as u64);
            let started = AtomicUsize::new(0);
            let done = pool.install(|| {
                scope(&counter, |s| {
                    for _ in 0..100 {
                        s.spawn(|_| {
                            started.fetch_add(1, Ordering::Relaxed);
                        });
                    }
                    "value"
                })
            });
            assert_eq!(started.into_inner(), units.min(100));
            match done {
                Ok(value) => assert!(units >= 100 && value == "value"),
                Err(error) => {
                    assert_eq!(error.skipped(), 100 - units);
                    assert!(error.cancellation().is_from(&counter));
                }
            }
        }
    }
}

#[test]
fn a_scope_is_not_started_under_a_cancelled_token() {
    for pool in &*POOLS {
        let cancelled = SimpleToken::new();
        cancelled.cancel();
        for token in [Token::from(cancelled), CounterToken::new(0).into()] {
            let not_started = || scope(&token, |_| panic!("started"));
            let error: ScopeError = pool.install(not_started).unwrap_err();
            assert_eq!(error.skipped(), 0);
            assert_eq!(error.to_string(), "the scope was not started");
            assert!(error.cancellation().is_from(&token));
        }
    }
}

/// With all threads in a job, the others wait for them.
#[test]
fn jobs_that_wait_are_skipped_and_those_under_way_are_finished() {
    for threads in [1, 2, 8] {
        watchdog("jobs that are skipped", move || {
            let token = SimpleToken::new();
            let (all_in, cancelled) = (Barrier::new(threads), Barrier::new(threads));
            let finished = AtomicUsize::new(0);
            let error = pool(threads)
                .install(|| {
                    scope(&token, |s| {
                        for _ in 0..threads * 10 {
                            s.spawn(|s| {
                                if all_in.wait().is_leader() {
                                    s.token().cancel();
                                }
                                cancelled.wait();
                                finished.fetch_add(1, Ordering::Relaxed);
                            });
                        }
                    })
                })
                .unwrap_err();
            assert_eq!(finished.into_inner(), threads);
            assert_eq!(error.skipped(), threads * 9);
            assert_eq!(
                error.to_string(),
                format!("{} jobs were not started", threads * 9)
            );
            assert_eq!(error.source().unwrap().to_string(), "cancelled");
        });
    }
}

#[test]
fn a_cancel_when_nothing_is_left_to_start_is_no_error() {
    for pool in &*POOLS {
        let token = SimpleToken::new();
        let done = pool.install(|| scope(&token, |_| token.cancel()));
        assert!(done.unwrap());
    }
}

#[test]
fn jobs_may_borrow_and_recurse() {
    fn quarter<'scope>(s: &Scope<'_, 'scope>, numbers: &'scope mut [u32]) {
        if numbers.len() < 2 {
            numbers.iter_mut().for_each(|number| *number += 1);
            return;
        }
        let (left, right) = numbers.split_at_mut(numbers.len() / 2);
        s.spawn(move |s| quarter(s, left));
        s.spawn(move |s| quarter(s, right));
    }
    for pool in &*POOLS {
        let mut numbers = vec![1; 100];
        pool.install(|| scope(Token::never(), |s| quarter(s, &mut numbers)))
            .unwrap();
        assert!(numbers.iter().all(|number| *number == 2));
    }
}

#[test]
fn a_skipped_job_is_dropped() {
    let token = CounterToken::new(1);
    assert!(token.keep_on());
    let (sender, receiver) = mpsc::channel::<()>();
    let error = scope(&token, |s| {
        s.spawn(move |_| sender.send(()).unwrap());
    })
    .unwrap_err();
    assert_eq!(receiver.recv(), Err(mpsc::RecvError));
    assert_eq!(error.to_string(), "1 job was not started");
}

#[test]
fn a_scopes_error_converts_into_what_functions_return() {
    let stopped = || {
        let token = CounterToken::new(1).named("budget");
        assert!(token.keep_on());
        // What borrows is no obstacle.
        let local = 1;
        scope(&token, |s| s.spawn(|_| ()))
            .map(|()| &local)
            .map(|_| ())
    };
    let cancellation = || -> Result<(), CancellationError> { Ok(stopped()?) };
    assert_eq!(cancellation().unwrap_err().name(), Some("budget"));
    let input_output = || -> io::Result<()> { Ok(stopped()?) };
    let error = input_output().unwrap_err();
    assert_eq!(
        error.to_string(),
        "budget: the counter of 1 checks is used up"
    );
    let boxed = || -> Result<(), Box<dyn Error + Send + Sync>> { Ok(stopped()?) };
    assert_eq!(boxed().unwrap_err().to_string(), "1 job was not started");
}

#[test]
fn a_spawned_job_runs() {
    watchdog("a spawned job", || {
        for pool in &*POOLS {
            let (sender, receiver) = mpsc::channel();
            let counter = CounterToken::new(1);
            let spawned = pool.install(|| spawn(&counter, move || sender.send(1).unwrap()));
            assert_eq!(receiver.recv(), Ok(1));
            // The sender is gone, so the job is over.
            assert_eq!(receiver.recv(), Err(mpsc::RecvError));
            assert!(spawned.skipped().is_none());
            assert_eq!(counter.remaining(), 0);
        }
    });
}

#[test]
fn a_spawned_job_that_comes_too_late_is_skipped_and_says_so_before_it_is_dropped() {
    watchdog("a spawned job that is skipped", || {
        for pool in &*POOLS {
            let token = SimpleToken::new();
            token.cancel();
            for _ in 0..100 {
                let (sender, receiver) = mpsc::channel::<()>();
                let spawned = pool.install(|| {
                    spawn(&token, move || {
                        drop(sender);
                        panic!("a skipped job was run");
                    })
                });
                assert_eq!(receiver.recv(), Err(mpsc::RecvError));
                assert!(spawned.skipped().unwrap().is_from(&token));
            }
        }
    });
}

#[test]
fn a_job_that_waits_for_a_thread_is_skipped() {
    watchdog("a job behind another", || {
        let one = pool(1);
        let token = SimpleToken::new();
        let (go_on, wait) = mpsc::channel::<()>();
        let (sender, receiver) = mpsc::channel::<()>();
        one.spawn(move || wait.recv().unwrap());
        // Behind the one that occupies the only thread.
        let spawned = {
            let token = token.clone();
            let (handle, handles) = mpsc::channel();
            one.spawn(move || {
                handle
                    .send(spawn(&token, move || sender.send(()).unwrap()))
                    .unwrap();
            });
            go_on.send(()).unwrap();
            handles
        };
        let spawned = spawned.recv().unwrap();
        let _ = receiver.recv();
        assert!(spawned.skipped().is_none());

        let (sender, receiver) = mpsc::channel::<()>();
        let spawned = one.install(|| {
            // On the only thread, so the job waits for this to return.
            let spawned = spawn(&token, move || sender.send(()).unwrap());
            assert!(spawned.skipped().is_none());
            token.cancel();
            spawned
        });
        assert_eq!(receiver.recv(), Err(mpsc::RecvError));
        assert!(spawned.skipped().unwrap().is_from(&token));
    });
}

#[test]
fn jobs_and_iterators_go_together() {
    for pool in &*POOLS {
        let token = SimpleToken::new();
        let (left, right) = pool
            .install(|| {
                let count = |to| {
                    use cantok_rayon::prelude::*;
                    (0..to).into_par_iter().with_token(&token).count()
                };
                join(&token, || count(10), || count(20))
            })
            .unwrap();
        assert_eq!((left, right), (10, 20));
    }
}
