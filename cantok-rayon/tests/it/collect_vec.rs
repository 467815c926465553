//! `collect_vec` is all items, each at its place, or the error, whenever the token is cancelled.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::pools::POOLS;
use crate::stops::{EVERY, stops};
use cantok_core::{CounterToken, SimpleToken, Token};
use cantok_rayon::prelude::*;
use rayon::prelude::*;

const LEN: usize = 1_000;

/// An item that is counted as long as it is there.
struct Counted<'a>(usize, &'a AtomicUsize);

impl<'a> Counted<'a> {
    fn new(item: usize, alive: &'a AtomicUsize) -> Self {
        alive.fetch_add(1, Ordering::Relaxed);
        Counted(item, alive)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.1.fetch_sub(1, Ordering::Relaxed);
    }
}

#[test]
fn it_is_all_items_or_the_error_and_nothing_is_left_over() {
    for pool in &*POOLS {
        for (stop, every) in stops(LEN)
            .into_iter()
            .flat_map(|stop| EVERY.map(|every| (stop, every)))
        {
            let token = stop.token();
            let alive = AtomicUsize::new(0);
            let items = (0..LEN).into_par_iter().map(|item| {
                stop.passed(item, &token);
                Counted::new(item, &alive)
            });
            let results = items.try_with_token(&token);
            let collected = pool.install(|| match every {
                None => results.collect_vec(),
                Some(every) => results.check_every(every).collect_vec(),
            });
            match collected {
                Ok(items) => {
                    assert!(stop.allows(LEN, LEN), "{stop:?}");
                    assert!(items.iter().map(|item| item.0).eq(0..LEN));
                    assert_eq!(alive.load(Ordering::Relaxed), LEN);
                }
                Err(error) => {
                    assert_eq!(error, token.cancellation().unwrap());
                    assert_eq!(alive.load(Ordering::Relaxed), 0);
                }
            }
            assert_eq!(alive.load(Ordering::Relaxed), 0);
        }
    }
}

#[test]
fn a_counter_of_as_many_units_as_items_collects_all() {
    for pool in &*POOLS {
        for every in [1, 7, 1024] {
            for units in [LEN - 1, LEN, LEN + 1] {
                let counter = CounterToken::new(units as u64);
                let results = (0..LEN).into_par_iter().try_with_token(&counter);
                let collected = pool.install(|| results.check_every(every).collect_vec());
                assert_eq!(collected.is_ok(), units >= LEN);
                assert_eq!(counter.remaining(), units.saturating_sub(LEN) as u64);
            }
        }
    }
}

#[test]
fn a_panic_in_an_item_reaches_the_caller() {
    for pool in &*POOLS {
        for every in [1, 7, 1024] {
            let alive = AtomicUsize::new(0);
            let token = SimpleToken::new();
            let items = (0..LEN).into_par_iter().map(|item| {
                if item == LEN / 2 {
                    resume_unwind(Box::new("a test panic in an item"));
                }
                Counted::new(item, &alive)
            });
            let results = items.try_with_token(&token).check_every(every);
            let run = || {
                pool.install(|| results.collect_vec())
                    .map(|items| items.len())
            };
            let panic = catch_unwind(AssertUnwindSafe(run)).unwrap_err();
            assert_eq!(panic.downcast_ref(), Some(&"a test panic in an item"));
            assert_eq!(alive.load(Ordering::Relaxed), 0);
            assert!(token.keep_on());
        }
    }
}

#[test]
fn of_no_items_it_is_an_empty_vector_even_if_the_token_is_cancelled() {
    let token = SimpleToken::new();
    token.cancel();
    let nothing = || (0..0).into_par_iter().try_with_token(&token);
    assert_eq!(nothing().collect_vec().unwrap(), [0; 0]);
    assert_eq!(nothing().check_every(7).collect_vec().unwrap(), [0; 0]);
    assert!(
        (0..1)
            .into_par_iter()
            .try_with_token(&token)
            .collect_vec()
            .is_err()
    );
    let items = (0..1).into_par_iter().try_with_token(Token::never());
    assert_eq!(items.collect_vec().unwrap(), [0]);
}
