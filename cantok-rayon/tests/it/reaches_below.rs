//! The cancel reaches whatever rayon runs below, and the adapters work wherever parallel iterators do.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use crate::pools::POOLS;
use cantok_core::{CancellationError, CounterToken, SimpleToken, Token};
use cantok_rayon::prelude::*;
use cantok_rayon::{TryWithToken, WithToken};
use cantok_testkit::watchdog;
use rayon::iter::repeat;
use rayon::prelude::*;

#[test]
fn a_nested_iterator_is_stopped_with_the_outer_one() {
    watchdog("nested endless items", || {
        for pool in &*POOLS {
            let token = SimpleToken::new();
            let seen = AtomicUsize::new(0);
            pool.install(|| {
                repeat(()).with_token(&token).for_each(|()| {
                    repeat(()).with_token(&token).for_each(|()| {
                        if seen.fetch_add(1, Ordering::Relaxed) == 1_000 {
                            token.cancel();
                        }
                    });
                });
            });
            assert!(token.is_cancelled());
        }
    });
}

#[test]
fn a_child_token_stops_the_inner_iterator_alone() {
    for pool in &*POOLS {
        let outer = SimpleToken::new();
        let sums = (0..100_usize).into_par_iter().with_token(&outer).map(|_| {
            let inner = outer.child() + CounterToken::new(10);
            (0..1_000).into_par_iter().with_token(inner).count()
        });
        assert_eq!(pool.install(|| sums.sum::<usize>()), 1_000);
        assert!(outer.cancellation().is_none());
    }
}

#[test]
fn flat_map_is_stopped_between_and_within_its_iterators() {
    watchdog("endless items in endless items", || {
        for pool in &*POOLS {
            let token = CounterToken::new(1_000);
            let items = repeat(()).flat_map(|()| repeat(1)).with_token(&token);
            assert_eq!(pool.install(|| items.sum::<usize>()), 1_000);

            let token = SimpleToken::new();
            let seen = AtomicUsize::new(0);
            let items = repeat(())
                .with_token(&token)
                .flat_map(|()| repeat(1).with_token(&token));
            pool.install(|| {
                items.for_each(|_| {
                    if seen.fetch_add(1, Ordering::Relaxed) == 1_000 {
                        token.cancel();
                    }
                });
            });

            let token = CounterToken::new(1_000);
            let items = repeat(())
                .flat_map_iter(|()| std::iter::repeat(1))
                .with_token(&token);
            assert_eq!(pool.install(|| items.sum::<usize>()), 1_000);
        }
    });
}

#[test]
fn fold_keeps_what_was_folded_if_it_comes_after() {
    for pool in &*POOLS {
        let items = (0..10_000)
            .into_par_iter()
            .with_token(CounterToken::new(100));
        let folded = items.fold(|| 0, |count, _| count + 1);
        assert_eq!(pool.install(|| folded.sum::<usize>()), 100);
    }
}

#[test]
fn chunks_of_slices_are_items() {
    for pool in &*POOLS {
        let mut bytes = vec![0_u8; 1_000];
        pool.install(|| {
            let chunks = bytes.par_chunks_mut(10).with_token(CounterToken::new(7));
            chunks.for_each(|chunk| chunk.fill(1));
        });
        assert_eq!(bytes.iter().filter(|byte| **byte == 1).count(), 70);

        let chunks = bytes
            .par_chunks(3)
            .enumerate()
            .try_with_token(CounterToken::new(7));
        let done: Vec<_> = pool.install(|| chunks.map(|chunk| Ok(chunk?.0)).collect());
        let done: Vec<_> = done
            .into_iter()
            .filter_map(Result::<_, CancellationError>::ok)
            .collect();
        assert_eq!(done.len(), 7);
        assert!(done.is_sorted());

        let windows = bytes.par_windows(2).with_token(CounterToken::new(5));
        assert_eq!(pool.install(|| windows.count()), 5);
    }
}

#[test]
fn a_bridge_is_stopped_without_asking_for_more() {
    watchdog("a bridge over a channel that stays open", || {
        for pool in &*POOLS {
            let (sender, receiver) = mpsc::sync_channel(0);
            let token = SimpleToken::new();
            let producer = thread::spawn(move || {
                let mut sent = 0;
                while sender.send(sent).is_ok() {
                    sent += 1;
                }
                sent
            });
            let items = receiver.into_iter().par_bridge().with_token(&token);
            let received = pool.install(|| {
                items
                    .inspect(|item| {
                        if *item == 100 {
                            token.cancel();
                        }
                    })
                    .count()
            });
            let sent = producer.join().unwrap();
            // What was taken from the channel and refused: one item for each thread at most.
            let threads = pool.current_num_threads();
            assert!(
                (received..=received + threads).contains(&sent),
                "{received} of {sent}"
            );
        }
    });
}

#[test]
fn collections_are_extended_by_what_passed() {
    for pool in &*POOLS {
        let mut all = vec![7; 3];
        pool.install(|| {
            let items = vec![8; 1_000].into_par_iter();
            all.par_extend(items.with_token(CounterToken::new(5)));
        });
        assert_eq!(all, [7, 7, 7, 8, 8, 8, 8, 8]);
    }
}

#[test]
fn items_are_drained_and_dropped_once() {
    static ALIVE: AtomicUsize = AtomicUsize::new(0);
    struct Counted;
    impl Counted {
        fn new() -> Self {
            ALIVE.fetch_add(1, Ordering::Relaxed);
            Counted
        }
    }
    impl Drop for Counted {
        fn drop(&mut self) {
            ALIVE.fetch_sub(1, Ordering::Relaxed);
        }
    }
    let some = || (0..1_000).map(|_| Counted::new()).collect::<Vec<_>>();
    for pool in &*POOLS {
        pool.install(|| {
            let token = CounterToken::new(10);
            let kept: Vec<_> = some().into_par_iter().with_token(token).collect();
            assert_eq!((kept.len(), ALIVE.load(Ordering::Relaxed)), (10, 10));
            drop(kept);
            let token = CounterToken::new(10);
            let kept: Vec<_> = some().into_par_iter().try_with_token(token).collect();
            assert_eq!((kept.len(), ALIVE.load(Ordering::Relaxed)), (1_000, 10));
            drop(kept);
            let (mut list, token) = (some(), CounterToken::new(10));
            let kept: Vec<_> = list.par_drain(500..).try_with_token(token).rev().collect();
            assert_eq!((kept.len(), list.len()), (500, 500));
            assert_eq!(ALIVE.load(Ordering::Relaxed), 510);
        });
        assert_eq!(ALIVE.load(Ordering::Relaxed), 0);
    }
}

#[test]
fn adapters_can_be_nested_named_stored_and_run_twice() {
    struct Job<'a> {
        quiet: WithToken<rayon::slice::Iter<'a, u32>>,
        trying: TryWithToken<rayon::slice::Iter<'a, u32>>,
    }
    let numbers = [1, 2, 3, 4];
    let token = SimpleToken::new();
    let job = Job {
        quiet: numbers.par_iter().with_token(&token),
        trying: numbers.par_iter().try_with_token(&token),
    };
    for _ in 0..2 {
        assert_eq!(job.quiet.clone().sum::<u32>(), 10);
        let sum: Result<u32, CancellationError> = job.trying.clone().sum();
        assert_eq!(sum.unwrap(), 10);
    }
    let nested = job
        .quiet
        .clone()
        .with_token(Token::never())
        .try_with_token(Token::never());
    assert_eq!(nested.count(), 4);
    token.cancel();
    assert_eq!(job.quiet.sum::<u32>(), 0);
    assert!(job.trying.sum::<Result<u32, CancellationError>>().is_err());
}

/// As a library would: whatever the iterator, whatever the token.
#[test]
fn generic_functions_take_any_iterator_and_any_token() {
    fn total<I>(items: I, token: impl Into<Token>) -> Result<u64, CancellationError>
    where
        I: IntoParallelIterator<Item = u64>,
    {
        items.into_par_iter().try_with_token(token).sum()
    }
    assert_eq!(total(vec![1, 2], SimpleToken::new()).unwrap(), 3);
    let token = SimpleToken::new();
    assert_eq!(total([1, 2], &token).unwrap(), 3);
    assert_eq!(total(Some(4), Token::never()).unwrap(), 4);
    assert!(total(0..10, CounterToken::new(9)).is_err());
    assert!(total((0..10).par_bridge().map(|item| item), CounterToken::new(9)).is_err());
}
