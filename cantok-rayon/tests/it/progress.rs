//! indicatif's progress bars count what passes, before and after the adapters.

use crate::pools::POOLS;
use cantok_core::{CancellationError, CounterToken, SimpleToken};
use cantok_rayon::prelude::*;
use indicatif::{ParallelProgressIterator, ProgressBar};
use rayon::prelude::*;

const LEN: usize = 1_000;

#[test]
fn a_bar_after_with_token_counts_what_passed() {
    for pool in &*POOLS {
        for units in [0, 1, 500, LEN] {
            let bar = ProgressBar::hidden();
            let items = (0..LEN)
                .into_par_iter()
                .with_token(CounterToken::new(units as u64));
            let passed = pool.install(|| items.progress_with(bar.clone()).count());
            assert_eq!((passed, bar.position()), (units, units as u64));
        }
    }
}

#[test]
fn a_bar_before_with_token_counts_what_was_pulled() {
    for pool in &*POOLS {
        for units in [0, 1, 500, LEN] {
            let bar = ProgressBar::hidden();
            let items = (0..LEN).into_par_iter().progress_with(bar.clone());
            let items = items.with_token(CounterToken::new(units as u64));
            let passed = pool.install(|| items.count());
            assert_eq!(passed, units);
            let refused = bar.position() - units as u64;
            assert!(refused <= pool.current_num_threads() as u64, "{refused}");
        }
    }
}

#[test]
fn results_are_indexed_with_a_bar_on_either_side() {
    for pool in &*POOLS {
        for units in [0, 500, LEN] {
            let items = || (0..LEN).into_par_iter();
            let token = || CounterToken::new(units as u64);
            let (before, after) = (ProgressBar::hidden(), ProgressBar::hidden());
            pool.install(|| {
                let results = items()
                    .progress_with(before.clone())
                    .try_with_token(token());
                let results: Vec<_> = results.progress_with(after.clone()).enumerate().collect();
                assert_eq!(results.len(), LEN);
                let passed = results.iter().filter(|(_, result)| result.is_ok()).count();
                assert_eq!(passed, units);
                assert!(
                    results.iter().all(|(place, result)| {
                        result.as_ref().map_or(true, |item| item == place)
                    })
                );

                let mut list = Vec::new();
                let results = items().progress().try_with_token(token()).progress();
                results.collect_into_vec(&mut list);
                assert_eq!(list.len(), LEN);
                let passed = list.iter().filter(|result| result.is_ok()).count();
                assert_eq!(passed, units);

                let results = items().try_with_token(token()).progress();
                let all: Result<Vec<_>, CancellationError> = results.collect();
                assert_eq!(all.is_ok(), units == LEN);
            });
        }
    }
}

/// indicatif does not pass on that it knows the length.
#[test]
fn a_bar_before_try_with_token_hides_the_length() {
    for pool in &*POOLS {
        let results = || {
            let items = (0..LEN)
                .into_par_iter()
                .progress_with(ProgressBar::hidden());
            items.try_with_token(CounterToken::new(10))
        };
        assert_eq!((results().len(), results().opt_len()), (LEN, None));
        let all: Vec<_> = pool.install(|| results().collect());
        let passed = all.iter().filter(|result| result.is_ok()).count();
        assert!(
            passed == 10 && all.len() > 10 && all.len() < LEN,
            "{}",
            all.len()
        );
        let all: Result<Vec<_>, CancellationError> = pool.install(|| results().collect());
        assert!(all.is_err());
    }
}

#[test]
fn a_bar_does_not_keep_items_from_being_stopped() {
    for pool in &*POOLS {
        let token = SimpleToken::new();
        let bar = ProgressBar::hidden();
        let items = rayon::iter::repeat(1)
            .with_token(&token)
            .progress_with(bar.clone());
        pool.install(|| {
            items.for_each(|_| {
                if bar.position() > 1_000 {
                    token.cancel();
                }
            });
        });
        assert!(bar.position() > 1_000);
    }
}
