//! Whatever consumes a `try_with_token` iterator gets one result for each item, in order, or the error, whenever the
//! token is cancelled and however many threads there are.

use std::cmp::Ordering::{Equal, Greater, Less};
use std::collections::{BTreeSet, HashSet, LinkedList, VecDeque};
use std::fmt::Debug;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::pools::{POOLS, pool};
use crate::stops::{EVERY, Stop, stops};
use cantok_core::{CancellationError, CounterToken, SimpleToken, Token};
use cantok_rayon::prelude::*;
use cantok_rayon::{CheckEvery, TryWithToken};
use cantok_testkit::watchdog;
use rayon::iter::{Either, Filter, Inspect};
use rayon::prelude::*;
use rayon::range::Iter;

const LEN: usize = 1_000;

type Outcome = Result<usize, CancellationError>;
type Note<'a> = &'a (dyn Fn(&Outcome) + Sync);
/// The results behind the adapter, each of which is noted.
type Results<'a> = Inspect<Checked<Iter<usize>>, Note<'a>>;
/// With a check for each item, or for several.
type Checked<I> = Either<TryWithToken<I>, CheckEvery<TryWithToken<I>>>;
/// The same of a base that does not know its length.
type Unmeasured<'a> = Inspect<TryWithToken<Filter<Iter<usize>, fn(&usize) -> bool>>, Note<'a>>;

/// What came out of the adapter.
#[derive(Debug)]
struct Seen {
    stop: Stop,
    /// In order.
    items: Vec<usize>,
    errors: usize,
}

impl Seen {
    /// The results as they must be where none is missing.
    fn options(&self) -> Vec<Option<usize>> {
        let items: HashSet<_> = self.items.iter().copied().collect();
        (0..LEN)
            .map(|item| items.contains(&item).then_some(item))
            .collect()
    }

    fn assert_complete(&self) {
        assert_eq!(self.items.len() + self.errors, LEN, "{self:?}");
        assert!(self.stop.allows(self.items.len(), LEN), "{self:?}");
    }
}

fn checked<I: IndexedParallelIterator>(items: TryWithToken<I>, every: Option<usize>) -> Checked<I> {
    match every {
        None => Either::Left(items),
        Some(every) => Either::Right(items.check_every(every)),
    }
}

fn see<R: Send>(stop: Stop, token: &Token, run: impl FnOnce(Note<'_>) -> R) -> (R, Seen) {
    let items = Mutex::new(Vec::new());
    let errors = AtomicUsize::new(0);
    let result = run(&|outcome| match outcome {
        Ok(item) => {
            items.lock().unwrap().push(*item);
            stop.passed(*item, token);
        }
        Err(error) => {
            assert_eq!(*error, token.cancellation().unwrap());
            errors.fetch_add(1, Ordering::Relaxed);
        }
    });
    let mut items = items.into_inner().unwrap();
    items.sort_unstable();
    assert!(items.is_sorted_by(|a, b| a < b), "twice: {items:?}");
    let errors = errors.into_inner();
    (
        result,
        Seen {
            stop,
            items,
            errors,
        },
    )
}

/// Runs `terminal` in every pool, stopped in every way, and gives what it returned to `verify`, with what it was given.
fn each_run<R: Send>(
    terminal: impl Fn(Results<'_>) -> R + Sync,
    verify: impl Fn(R, &Seen, &Token),
) {
    for pool in &*POOLS {
        for (stop, every) in stops(LEN)
            .into_iter()
            .flat_map(|stop| EVERY.map(|every| (stop, every)))
        {
            let token = stop.token();
            let (result, seen) = see(stop, &token, |note| {
                let results = (0..LEN).into_par_iter().try_with_token(&token);
                let results = checked(results, every);
                pool.install(|| terminal(results.inspect(note)))
            });
            verify(result, &seen, &token);
        }
    }
}

/// For terminals that want all results: `sequential` makes the same of them, where `None` stands for an error.
fn same<R: Send + PartialEq + Debug>(
    terminal: impl Fn(Results<'_>) -> R + Sync,
    sequential: impl Fn(Vec<Option<usize>>) -> R,
) {
    each_run(terminal, |result, seen, _| {
        seen.assert_complete();
        assert_eq!(result, sequential(seen.options()), "{seen:?}");
    });
}

/// For terminals that stop at the first error: either there was one and that is the result, or the result is that of
/// all items.
fn all_or_error<R: Send + PartialEq + Debug>(
    terminal: impl Fn(Results<'_>) -> Result<R, CancellationError> + Sync,
    sequential: impl Fn(Vec<usize>) -> R,
) {
    each_run(terminal, |result, seen, token| match result {
        Ok(result) => {
            assert_eq!(seen.items.len(), LEN, "{seen:?}");
            assert_eq!(result, sequential((0..LEN).collect()));
        }
        Err(error) => {
            assert!(seen.errors > 0, "{seen:?}");
            assert_eq!(error, token.cancellation().unwrap());
        }
    });
}

fn option(result: Outcome) -> Option<usize> {
    result.ok()
}

#[test]
fn collecting_into_a_result_is_all_or_error() {
    all_or_error(
        |results| results.collect::<Result<Vec<_>, _>>(),
        |items| items,
    );
    all_or_error(
        |results| results.collect::<Result<VecDeque<_>, _>>(),
        VecDeque::from,
    );
    all_or_error(
        |results| results.collect::<Result<HashSet<_>, _>>(),
        |items| items.into_iter().collect(),
    );
    all_or_error(
        |results| {
            results
                .map(|result| result.map(drop))
                .collect::<Result<(), _>>()
        },
        |_| (),
    );
    all_or_error(
        |results| {
            results
                .enumerate()
                .map(|(_, result)| result)
                .collect::<Result<Vec<_>, _>>()
        },
        |items| items,
    );
    all_or_error(
        |results| {
            let mut list = Vec::new();
            results.collect_into_vec(&mut list);
            list.into_par_iter().collect::<Result<Vec<_>, _>>()
        },
        |items| items,
    );
}

/// Results that are pulled rather than pushed.
#[test]
fn collecting_what_comes_backwards_is_all_or_error() {
    all_or_error(
        |results| results.rev().rev().collect::<Result<Vec<_>, _>>(),
        |items| items,
    );
    all_or_error(
        |results| results.rev().collect::<Result<Vec<_>, _>>(),
        |items| items.into_iter().rev().collect(),
    );
    for pool in &*POOLS {
        for (stop, every) in stops(LEN)
            .into_iter()
            .flat_map(|stop| EVERY.map(|every| (stop, every)))
        {
            let token = stop.token();
            let results = (0..LEN).into_par_iter().try_with_token(&token);
            let results = checked(results, every).rev().rev();
            let (result, seen) = see(stop, &token, |note| {
                pool.install(|| results.inspect(note).collect::<Result<Vec<_>, _>>())
            });
            match result {
                Ok(all) => assert_eq!(all, (0..LEN).collect::<Vec<_>>()),
                Err(error) => assert!(error == token.cancellation().unwrap() && seen.errors > 0),
            }
        }
    }
}

#[test]
fn folding_results_is_all_or_error() {
    let total = |items: Vec<usize>| items.into_iter().sum::<usize>();
    let add = |a, b| Ok(a + b);
    all_or_error(|results| results.sum::<Outcome>(), total);
    all_or_error(
        |results| results.map(|result| result.map(|_| 1)).product::<Outcome>(),
        |_| 1,
    );
    all_or_error(|results| results.try_reduce(|| 0, add), total);
    all_or_error(
        |results| results.try_reduce_with(add).transpose(),
        |items| Some(total(items)),
    );
    all_or_error(
        |results| {
            results
                .try_fold(|| 0, |sum, item| Ok(sum + item?))
                .try_reduce(|| 0, add)
        },
        total,
    );
    all_or_error(
        |results| {
            results
                .try_fold_with(0, |sum, item| Ok(sum + item?))
                .try_reduce(|| 0, add)
        },
        total,
    );
}

#[test]
fn for_each_of_results_is_all_or_error() {
    let sum = AtomicUsize::new(0);
    let add = |result: Outcome| {
        sum.fetch_add(result?, Ordering::Relaxed);
        Ok(())
    };
    let taken = |done: Result<(), CancellationError>| {
        let sum = sum.swap(0, Ordering::Relaxed);
        done.map(|()| sum)
    };
    let total = |items: Vec<usize>| items.into_iter().sum();
    all_or_error(|results| taken(results.try_for_each(add)), total);
    all_or_error(
        |results| taken(results.try_for_each_with((), |(), result| add(result))),
        total,
    );
    all_or_error(
        |results| taken(results.try_for_each_init(|| (), |(), result| add(result))),
        total,
    );
}

#[test]
fn what_takes_any_item_takes_every_result() {
    same(|results| results.count(), |results| results.len());
    let sum = AtomicUsize::new(0);
    let add = |result: Outcome| {
        sum.fetch_add(result.unwrap_or(LEN), Ordering::Relaxed);
    };
    let taken = || sum.swap(0, Ordering::Relaxed);
    let total = |results: Vec<Option<usize>>| {
        results
            .into_iter()
            .map(|item| item.unwrap_or(LEN))
            .sum::<usize>()
    };
    same(|results| (results.for_each(add), taken()).1, total);
    same(
        |results| (results.for_each_with((), |(), result| add(result)), taken()).1,
        total,
    );
    same(
        |results| {
            (
                results.for_each_init(|| (), |(), result| add(result)),
                taken(),
            )
                .1
        },
        total,
    );
    same(
        |results| results.map(option).reduce(|| None, Option::max),
        |results| results.into_iter().flatten().max(),
    );
    same(
        |results| results.map(option).reduce_with(Option::max),
        |results| Some(results.into_iter().flatten().max()),
    );
    same(
        |results| results.map(option).min(),
        |results| results.into_iter().min(),
    );
    same(
        |results| results.map(option).max(),
        |results| results.into_iter().max(),
    );
    let kind = |result: &Outcome| (result.is_err(), result.as_ref().ok().copied());
    let option_kind = |result: &Option<usize>| (result.is_none(), *result);
    same(
        |results| results.min_by_key(kind).map(option),
        |results| results.into_iter().min_by_key(option_kind),
    );
    same(
        |results| results.max_by_key(kind).map(option),
        |results| results.into_iter().max_by_key(option_kind),
    );
    same(
        |results| results.min_by(|a, b| kind(a).cmp(&kind(b))).map(option),
        |results| results.into_iter().min_by_key(option_kind),
    );
    same(
        |results| results.max_by(|a, b| kind(a).cmp(&kind(b))).map(option),
        |results| results.into_iter().max_by_key(option_kind),
    );
}

#[test]
fn collections_have_a_result_for_each_item() {
    fn options(results: impl IntoIterator<Item = Outcome>) -> Vec<Option<usize>> {
        results.into_iter().map(option).collect()
    }
    same(|results| options(results.collect::<Vec<_>>()), |all| all);
    same(
        |results| options(results.collect::<VecDeque<_>>()),
        |all| all,
    );
    same(
        |results| options(results.collect::<LinkedList<_>>()),
        |all| all,
    );
    same(|results| options(results.collect::<Box<[_]>>()), |all| all);
    same(
        |results| options(results.collect_vec_list().into_iter().flatten()),
        |all| all,
    );
    same(
        |results| results.map(option).collect::<Arc<[_]>>(),
        Arc::from,
    );
    same(
        |results| results.map(option).collect::<BTreeSet<_>>(),
        |all| all.into_iter().collect(),
    );
    same(
        |results| {
            let mut all = Vec::new();
            all.par_extend(results);
            options(all)
        },
        |all| all,
    );
    same(
        |results| {
            results
                .partition::<Vec<_>, Vec<_>, _>(Result::is_ok)
                .0
                .len()
        },
        |all| all.into_iter().flatten().count(),
    );
    same(
        |results| {
            results.partition_map::<Vec<_>, Vec<_>, _, _, _>(|result| match result {
                Ok(item) => Either::Left(item),
                Err(_) => Either::Right(()),
            })
        },
        |all| {
            let items: Vec<_> = all.iter().flatten().copied().collect();
            let errors = vec![(); all.len() - items.len()];
            (items, errors)
        },
    );
    same(
        |results| {
            results
                .map(|result| (option(result), 1))
                .unzip::<_, _, Vec<_>, Vec<_>>()
        },
        |all| (all, vec![1; LEN]),
    );
    same(
        |results| {
            let (mut left, mut right) = (Vec::new(), Vec::new());
            let pairs = results.map(|result| (option(result), 1));
            pairs.unzip_into_vecs(&mut left, &mut right);
            (left, right)
        },
        |all| (all, vec![1; LEN]),
    );
}

/// These may be content before every result was made.
#[test]
fn searches() {
    fn search<R: Send + Debug>(
        terminal: impl Fn(Results<'_>) -> R + Sync,
        allowed: impl Fn(&R, &Seen) -> bool,
    ) {
        each_run(terminal, |found, seen, _| {
            assert!(allowed(&found, seen), "{found:?} in {seen:?}");
        });
    }
    let complete = |seen: &Seen| seen.items.len() + seen.errors == LEN;
    search(
        |results| results.find_any(Result::is_err).is_some(),
        |found, seen| {
            if *found {
                seen.errors > 0
            } else {
                seen.items.len() == LEN
            }
        },
    );
    search(
        |results| results.find_first(Result::is_ok).map(option),
        |found, seen| found.flatten() == seen.items.first().copied(),
    );
    search(
        |results| results.find_last(Result::is_ok).map(option),
        |found, seen| found.flatten() == seen.items.last().copied(),
    );
    search(
        |results| results.find_map_any(option),
        |found, seen| match found {
            Some(item) => seen.items.contains(item),
            None => seen.items.is_empty() && complete(seen),
        },
    );
    search(
        |results| results.find_map_first(option),
        |found, seen| *found == seen.items.first().copied(),
    );
    search(
        |results| results.find_map_last(option),
        |found, seen| *found == seen.items.last().copied(),
    );
    search(
        |results| results.any(|result| result.is_err()),
        |found, seen| *found == (seen.errors > 0),
    );
    search(
        |results| results.all(|result| result.is_ok()),
        |all, seen| *all == (seen.errors == 0),
    );
    search(
        |results| results.position_any(|result| result.is_ok()),
        |found, seen| match found {
            Some(place) => seen.items.contains(place),
            None => seen.items.is_empty() && complete(seen),
        },
    );
    search(
        |results| results.position_first(|result| result.is_ok()),
        |found, seen| *found == seen.items.first().copied(),
    );
    search(
        |results| results.position_last(|result| result.is_ok()),
        |found, seen| *found == seen.items.last().copied(),
    );
}

#[test]
fn comparisons() {
    fn compare<R: Send + PartialEq + Debug>(
        terminal: impl Fn(rayon::iter::Map<Results<'_>, fn(Outcome) -> Option<usize>>) -> R + Sync,
        sequential: impl Fn(Vec<Option<usize>>) -> R,
    ) {
        each_run(
            |results| terminal(results.map(option)),
            |result, seen, _| assert_eq!(result, sequential(seen.options()), "{seen:?}"),
        );
    }
    // An option that is `None` is less than any item.
    let whole = || (0..LEN).into_par_iter().map(Some);
    let is_whole = |all: &[Option<usize>]| all.iter().all(Option::is_some);
    compare(
        |results| results.cmp(whole()),
        |all| if is_whole(&all) { Equal } else { Less },
    );
    compare(
        |results| results.partial_cmp(whole().skip(1)),
        |all| {
            Some(if all[0].is_some() || !is_whole(&all) {
                Less
            } else {
                Greater
            })
        },
    );
    compare(|results| results.eq(whole()), |all| is_whole(&all));
    compare(|results| results.ne(whole()), |all| !is_whole(&all));
    compare(|results| results.lt(whole()), |all| !is_whole(&all));
    compare(|results| results.le(whole()), |_| true);
    compare(|results| results.gt(whole()), |_| false);
    compare(|results| results.ge(whole()), |all| is_whole(&all));
}

#[test]
fn indexed_adapters_keep_every_result_at_its_place() {
    same(
        |results| {
            results
                .enumerate()
                .map(|(place, result)| (place, option(result)))
                .collect()
        },
        |all| all.into_iter().enumerate().collect::<Vec<_>>(),
    );
    let pair = |(result, item): (Outcome, usize)| (option(result), item);
    let pairs = |all: Vec<Option<usize>>| all.into_iter().zip(0..LEN).collect::<Vec<_>>();
    same(|results| results.zip(0..LEN).map(pair).collect(), pairs);
    same(|results| results.zip_eq(0..LEN).map(pair).collect(), pairs);
    same(
        |results| {
            let zipped = (0..LEN).into_par_iter().zip(results);
            zipped
                .map(|(item, result)| (item, option(result)))
                .collect()
        },
        |all| (0..LEN).zip(all).collect::<Vec<_>>(),
    );
    let others = || (LEN..LEN * 2).into_par_iter().map(Some);
    let alternating = |all: Vec<Option<usize>>| {
        let pairs = all.into_iter().zip((LEN..LEN * 2).map(Some));
        pairs.flat_map(|(a, b)| [a, b]).collect::<Vec<_>>()
    };
    same(
        |results| results.map(option).interleave(others()).collect(),
        alternating,
    );
    same(
        |results| results.map(option).interleave_shortest(others()).collect(),
        alternating,
    );
    same(
        |results| results.map(option).chunks(7).collect(),
        |all| all.chunks(7).map(<[_]>::to_vec).collect::<Vec<_>>(),
    );
    same(
        |results| results.fold_chunks(7, || 0, |count, _| count + 1).collect(),
        |all| all.chunks(7).map(<[_]>::len).collect::<Vec<_>>(),
    );
    same(
        |results| {
            results
                .fold_chunks_with(7, 0, |count, _| count + 1)
                .collect()
        },
        |all| all.chunks(7).map(<[_]>::len).collect::<Vec<_>>(),
    );
    same(
        |results| results.map(option).rev().collect(),
        |all| all.into_iter().rev().collect::<Vec<_>>(),
    );
    same(
        |results| results.map(option).step_by(1).collect::<Vec<_>>(),
        |all| all,
    );
    same(
        |results| results.map(option).step_by(3).collect(),
        |all| all.into_iter().step_by(3).collect::<Vec<_>>(),
    );
    same(
        |results| results.map(option).skip(10).collect(),
        |all| all[10..].to_vec(),
    );
    same(
        |results| results.map(option).take(LEN).collect::<Vec<_>>(),
        |all| all,
    );
    same(
        |results| {
            results
                .map(option)
                .positions(|result| result.is_some())
                .collect::<Vec<_>>()
        },
        |all| all.into_iter().flatten().collect(),
    );
    same(
        |results| results.map(option).with_min_len(10).collect::<Vec<_>>(),
        |all| all,
    );
    same(
        |results| results.map(option).with_max_len(10).collect::<Vec<_>>(),
        |all| all,
    );
    same(
        |results| {
            results
                .map(option)
                .by_uniform_blocks(64)
                .collect::<Vec<_>>()
        },
        |all| all,
    );
    same(
        |results| {
            results
                .map(option)
                .by_exponential_blocks()
                .collect::<Vec<_>>()
        },
        |all| all,
    );
    same(
        |results| results.map(option).chain(rayon::iter::once(None)).collect(),
        |all| all.into_iter().chain([None]).collect::<Vec<_>>(),
    );
    same(
        |results| results.map(option).intersperse(None).collect::<Vec<_>>(),
        |all| {
            let mut spread: Vec<_> = all.into_iter().flat_map(|item| [item, None]).collect();
            spread.pop();
            spread
        },
    );
    same(
        |results| results.panic_fuse().map(option).collect::<Vec<_>>(),
        |all| all,
    );
}

#[test]
fn bases_of_every_kind_keep_their_length() {
    type Numbers = Vec<usize>;
    fn results<I: IndexedParallelIterator<Item = usize>>(base: impl Fn(Numbers) -> I + Sync) {
        for pool in &*POOLS {
            for stop in stops(LEN) {
                let numbers: Numbers = (0..LEN).collect();
                let tried = |token: &Token| base(numbers.clone()).try_with_token(token);
                pool.install(|| {
                    assert_eq!(tried(&stop.token()).len(), LEN);
                    // Pushed, with a length and without one, and pulled.
                    let mut pushed = Vec::new();
                    tried(&stop.token()).collect_into_vec(&mut pushed);
                    let all: [Vec<Outcome>; 3] = [
                        pushed,
                        tried(&stop.token()).collect(),
                        tried(&stop.token()).rev().collect(),
                    ];
                    for list in all {
                        assert_eq!(list.len(), LEN);
                        let passed = list.iter().filter(|result| result.is_ok()).count();
                        if let Stop::At(_) = stop {
                            assert_eq!(passed, LEN, "only the counter cancels here");
                        }
                        assert!(stop.allows(passed, LEN), "{stop:?}: {passed}");
                    }
                });
            }
        }
    }
    results(|numbers| numbers.into_par_iter());
    results(|numbers| numbers.into_par_iter().map(|item| item));
    results(|numbers| numbers.into_par_iter().with_max_len(3));
    results(|numbers| numbers.into_par_iter().map_init(|| 0, |_, item| item));
    results(|numbers| numbers.into_par_iter().update(|_| ()));
    results(|mut numbers| {
        let right = numbers.split_off(300);
        numbers.into_par_iter().chain(right)
    });
    // A part of a chain: one folder is given two iterators.
    results(|numbers| {
        [LEN]
            .into_par_iter()
            .chain(numbers)
            .skip(1)
            .map(|item| item)
    });
    results(|numbers| numbers.into_par_iter().zip(0..LEN).map(|(item, _)| item));
    results(|numbers| numbers.into_par_iter().intersperse(0).step_by(2));
    results(|numbers| VecDeque::from(numbers).into_par_iter());
    results(|numbers| {
        numbers
            .into_par_iter()
            .rev()
            .try_with_token(Token::never())
            .map(Result::unwrap)
    });
    results(|numbers| numbers.into_par_iter().chunks(1).map(|chunk| chunk[0]));
}

#[test]
fn a_base_without_a_length_yields_an_error_if_it_is_cut_off() {
    fn each(terminal: impl Fn(Unmeasured<'_>) -> Outcome + Sync, sequential: usize) {
        for pool in &*POOLS {
            for stop in stops(LEN) {
                let token = stop.token();
                let all: fn(&usize) -> bool = |_| true;
                let base = (0..LEN).into_par_iter().filter(all);
                let results = base.try_with_token(&token);
                assert_eq!(results.opt_len(), None);
                let (result, seen) = see(stop, &token, |note| {
                    pool.install(|| terminal(results.inspect(note)))
                });
                match result {
                    Ok(result) => assert_eq!((result, seen.items.len()), (sequential, LEN)),
                    Err(error) => {
                        assert!(
                            error == token.cancellation().unwrap() && seen.errors > 0,
                            "{seen:?}"
                        );
                    }
                }
            }
        }
    }
    let total = (0..LEN).sum();
    each(|results| results.sum(), total);
    each(|results| results.try_reduce(|| 0, |a, b| Ok(a + b)), total);
    each(
        |results| {
            results
                .collect::<Result<Vec<_>, _>>()
                .map(|all| all.into_iter().sum())
        },
        total,
    );
    each(
        |results| results.try_for_each(|result| result.map(drop)).map(|()| 0),
        0,
    );
    // Without a terminal that stops by itself.
    each(
        |results| {
            let all: Vec<_> = results.collect();
            all.into_iter().sum()
        },
        total,
    );
    each(
        |results| {
            let (items, errors): (Vec<_>, Vec<_>) = results.partition(Result::is_ok);
            match errors.into_iter().next() {
                Some(error) => error,
                None => items.into_iter().sum(),
            }
        },
        total,
    );
}

#[test]
fn an_empty_base_has_no_results_and_is_no_error() {
    fn nothing<I>(base: I)
    where
        I: ParallelIterator + Clone + Sync,
    {
        for pool in &*POOLS {
            let token = SimpleToken::new();
            token.cancel();
            let results = || base.clone().try_with_token(&token);
            pool.install(|| {
                assert!(results().collect::<Result<Vec<_>, _>>().unwrap().is_empty());
                assert_eq!(results().count(), 0);
            });
        }
    }
    nothing((0..0_usize).into_par_iter());
    nothing((0..0_usize).into_par_iter().rev());
    nothing((0..100).into_par_iter().filter(|_| false));
    nothing("".par_bytes());
    nothing("".par_chars());
    nothing(Vec::<Vec<u8>>::new().into_par_iter().flatten_iter());
    nothing(vec![Vec::<u8>::new(); 20].into_par_iter().flatten());
    nothing(vec![Vec::<u8>::new(); 20].into_par_iter().flatten_iter());
    nothing((0..0).par_bridge());
    nothing(rayon::iter::empty::<u8>().chain(rayon::iter::empty()));
}

/// A part that is cut off has an error of its own, at its place, so no hit that comes behind is taken for the first.
#[test]
fn a_search_for_the_first_does_not_pass_over_what_was_left_out() {
    watchdog("a search for the first hit in three parts", || {
        let token = SimpleToken::new();
        let [left_is_in, middle_is_in, error_is_out, middle_is_done] =
            [(); 4].map(|()| AtomicBool::new(false));
        let wait = |flag: &AtomicBool| {
            while !flag.load(Ordering::SeqCst) {
                thread::yield_now();
            }
        };
        let set = |flag: &AtomicBool| flag.store(true, Ordering::SeqCst);
        // Left: 0, which is slow, and 1, which is a hit. Middle: 10, a hit. Right: the one that is refused.
        let right = (20..21_u32).into_par_iter().inspect(|_| {
            wait(&left_is_in);
            wait(&middle_is_in);
            token.cancel();
        });
        let left = (0..2_u32).into_par_iter().with_min_len(2);
        let parts = left.chain(10..11).chain(right).filter(|_| true);
        let results = parts.try_with_token(&token).inspect(|result| match result {
            Ok(0) => {
                set(&left_is_in);
                wait(&middle_is_done);
            }
            Ok(10) => {
                set(&middle_is_in);
                wait(&error_is_out);
                set(&middle_is_done);
            }
            Ok(_) => {}
            Err(_) => set(&error_is_out),
        });
        let found =
            pool(4).install(|| results.find_first(|result| matches!(result, Ok(1 | 10) | Err(_))));
        assert!(found.unwrap().unwrap_err().is_from(&token));
    });
}

#[test]
fn endless_items_end_with_an_error() {
    watchdog("endless results under a counter", || {
        let token = CounterToken::new(1_000);
        let results = rayon::iter::repeat(1_usize).try_with_token(&token);
        assert!(results.sum::<Outcome>().unwrap_err().is_from(&token));
    });
}
