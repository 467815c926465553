//! Random pipelines against their sequential twins.

use std::ops::Range;

use cantok_core::{CancellationError, CounterToken, SimpleToken, Token};
use cantok_rayon::prelude::*;
use proptest::collection::vec;
use proptest::prelude::*;
use rayon::ThreadPoolBuilder;
use rayon::prelude::*;

/// Lists of numbers, how rayon shall cut them up, and how many units the counter has.
#[derive(Clone, Debug)]
struct Case {
    lists: Vec<Vec<u8>>,
    threads: usize,
    min_len: usize,
    max_len: usize,
    divisor: u8,
    take: Range<usize>,
    units: u64,
}

fn cases() -> impl Strategy<Value = Case> {
    let lists = vec(vec(any::<u8>(), 0..12), 0..12);
    (
        lists,
        1..5_usize,
        1..9_usize,
        1..9_usize,
        1..4_u8,
        0..70_usize,
        0..70_usize,
        0..140_u64,
    )
        .prop_map(
            |(lists, threads, min_len, max_len, divisor, from, len, units)| Case {
                lists,
                threads,
                min_len,
                max_len,
                divisor,
                take: from..from + len,
                units,
            },
        )
}

impl Case {
    fn run<R: Send>(&self, f: impl FnOnce() -> R + Send) -> R {
        let pool = ThreadPoolBuilder::new().num_threads(self.threads);
        pool.build().unwrap().install(f)
    }

    /// All numbers, with their places.
    fn all(&self) -> Vec<(usize, u8)> {
        self.lists.concat().into_iter().enumerate().collect()
    }

    /// Whether the counter is cancelled by so many checks: one of no units is from the start.
    fn is_refused(&self, checks: usize) -> bool {
        self.units == 0 || self.units < checks as u64
    }

    fn divides(&self, item: &(usize, u8)) -> bool {
        item.1 % self.divisor == 0
    }
}

/// `some` is `all` without some items, and in order.
fn is_part(some: &[(usize, u8)], all: &[(usize, u8)]) -> bool {
    let mut all = all.iter();
    some.iter().all(|item| all.any(|other| other == item))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn with_token_passes_a_part_of_the_right_size_in_order(case in cases()) {
        let counter = CounterToken::new(case.units);
        let all: Vec<_> = case.all().into_iter().filter(|item| case.divides(item)).collect();
        let passed: Vec<_> = case.run(|| {
            let items = case.all().into_par_iter();
            let items = items.with_min_len(case.min_len).with_max_len(case.max_len);
            items.filter(|item| case.divides(item)).with_token(&counter).collect()
        });
        prop_assert_eq!(passed.len(), all.len().min(case.units as usize));
        prop_assert!(is_part(&passed, &all));
        prop_assert_eq!(counter.remaining(), case.units.saturating_sub(all.len() as u64));
        prop_assert_eq!(counter.cancellation().is_some(), case.is_refused(all.len()));
    }

    #[test]
    fn with_token_counts_through_nested_iterators(case in cases()) {
        let counter = CounterToken::new(case.units);
        let passed: Vec<_> = case.run(|| {
            let lists = case.lists.par_iter();
            lists.flat_map(|list| list.par_iter().copied()).with_token(&counter).collect()
        });
        let all = case.lists.concat();
        prop_assert_eq!(passed.len(), all.len().min(case.units as usize));

        let counter = CounterToken::new(case.units);
        let passed: usize = case.run(|| {
            let lists = case.lists.par_iter();
            lists.map(|list| list.par_iter().with_token(&counter).count()).sum()
        });
        prop_assert_eq!(passed, all.len().min(case.units as usize));
    }

    #[test]
    fn try_with_token_keeps_length_and_places(case in cases()) {
        let counter = CounterToken::new(case.units);
        let all = case.all();
        let (results, pulled): (Vec<_>, Vec<_>) = case.run(|| {
            let items = || {
                let items = case.all().into_par_iter();
                items.with_min_len(case.min_len).with_max_len(case.max_len)
            };
            let token = CounterToken::new(case.units);
            let pulled = items().try_with_token(token).rev().collect();
            (items().try_with_token(&counter).collect(), pulled)
        });
        for results in [results, pulled.into_iter().rev().collect()] {
            prop_assert_eq!(results.len(), all.len());
            let mut passed = 0;
            for (result, item) in results.iter().zip(&all) {
                if let Ok(result) = result {
                    prop_assert_eq!(result, item);
                    passed += 1;
                }
            }
            prop_assert_eq!(passed, all.len().min(case.units as usize));
        }
        prop_assert_eq!(counter.cancellation().is_some(), case.is_refused(all.len()));
    }

    #[test]
    fn a_part_of_the_results_is_a_part_of_the_list(case in cases()) {
        let all = case.all();
        let some = case.run(|| {
            let results = case.all().into_par_iter().try_with_token(Token::never());
            let results = results.skip(case.take.start).take(case.take.len());
            results.step_by(case.min_len).map(Result::unwrap).collect::<Vec<_>>()
        });
        let expected = all.iter().skip(case.take.start).take(case.take.len());
        let expected: Vec<_> = expected.step_by(case.min_len).copied().collect();
        prop_assert_eq!(some, expected);
    }

    #[test]
    fn collecting_results_is_all_or_the_error(case in cases(), unmeasured: bool) {
        let counter = CounterToken::new(case.units).named("units");
        let all = case.lists.concat();
        let collected: Result<Vec<u8>, CancellationError> = case.run(|| {
            if unmeasured {
                let items = case.lists.par_iter().flat_map_iter(|list| list.iter().copied());
                items.try_with_token(&counter).collect()
            } else {
                all.clone().into_par_iter().try_with_token(&counter).collect()
            }
        });
        match collected {
            Ok(collected) => {
                prop_assert_eq!(collected, all);
            }
            Err(error) => {
                prop_assert!(error.is_from(&counter));
                prop_assert!(case.units < all.len() as u64);
            }
        }
    }

    /// Cancelled by a thread that knows nothing of the work.
    #[test]
    fn a_result_is_complete_or_an_error_whenever_the_cancel_comes(case in cases(), spins in 0..2_000_u32) {
        let token = SimpleToken::new();
        let all = case.lists.concat();
        let total: u64 = all.iter().map(|item| u64::from(*item)).sum();
        let cancel = || {
            (0..spins).for_each(|_| std::hint::spin_loop());
            token.cancel()
        };
        let sums = || {
            let items = || case.lists.par_iter().flat_map(|list| list.par_iter());
            let sum = |item: &u8| u64::from(*item);
            let measured = all.par_iter().map(sum).try_with_token(&token);
            let measured: Result<u64, CancellationError> = measured.sum();
            let nested: Result<u64, CancellationError> =
                items().map(sum).try_with_token(&token).sum();
            let outer: Result<u64, CancellationError> = case
                .lists
                .par_iter()
                .try_with_token(&token)
                .map(|list| {
                    let list = list?.par_iter().map(sum).try_with_token(&token);
                    list.sum::<Result<u64, CancellationError>>()
                })
                .sum();
            [measured, nested, outer]
        };
        let (sums, _) = case.run(|| rayon::join(sums, cancel));
        for sum in sums {
            match sum {
                Ok(sum) => prop_assert_eq!(sum, total),
                Err(error) => prop_assert!(error.is_from(&token)),
            }
        }
    }
}
