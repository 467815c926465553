//! Whatever consumes a `with_token` iterator gets what its sequential twin makes of the items that passed, whenever the
//! token is cancelled and however many threads there are.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, LinkedList, VecDeque};
use std::fmt::Debug;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use crate::pools::POOLS;
use crate::stops::{EVERY, stops};
use cantok_rayon::prelude::*;
use cantok_rayon::{CheckEvery, WithToken};
use cantok_testkit::watchdog;
use rayon::iter::{Either, Inspect};
use rayon::prelude::*;
use rayon::range::Iter;

const LEN: usize = 1_000;

/// The items behind the adapter, each of which is noted.
type Items<'a> = Inspect<Checked<Iter<usize>>, &'a (dyn Fn(&usize) + Sync)>;
/// With a check for each item, or for several.
type Checked<I> = Either<WithToken<I>, CheckEvery<WithToken<I>>>;

fn checked<I: IndexedParallelIterator>(items: WithToken<I>, every: Option<usize>) -> Checked<I> {
    match every {
        None => Either::Left(items),
        Some(every) => Either::Right(items.check_every(every)),
    }
}

/// Runs `terminal` in every pool, stopped in every way, and gives what it returned, with the items that passed in
/// order, to `verify`. `all`: it wants all items.
fn each_run<R: Send>(
    all: bool,
    terminal: impl Fn(Items<'_>) -> R + Sync,
    verify: impl Fn(R, Vec<usize>),
) {
    for pool in &*POOLS {
        for (stop, every) in stops(LEN)
            .into_iter()
            .flat_map(|stop| EVERY.map(|every| (stop, every)))
        {
            let token = stop.token();
            let passed = Mutex::new(Vec::new());
            let note = |item: &usize| {
                passed.lock().unwrap().push(*item);
                stop.passed(*item, &token);
            };
            let items = checked((0..LEN).into_par_iter().with_token(&token), every);
            let result = pool.install(|| terminal(items.inspect(&note)));
            let mut passed = passed.into_inner().unwrap();
            passed.sort_unstable();
            if all {
                assert!(
                    stop.allows(passed.len(), LEN),
                    "{stop:?}, {every:?}: {passed:?}"
                );
            }
            assert!(passed.is_sorted_by(|a, b| a < b), "twice: {passed:?}");
            verify(result, passed);
        }
    }
}

/// For terminals that want all items: the result is what `sequential` makes of those that passed.
fn same<R: Send + PartialEq + Debug>(
    terminal: impl Fn(Items<'_>) -> R + Sync,
    sequential: impl Fn(Vec<usize>) -> R,
) {
    each_run(true, terminal, |result, passed| {
        assert_eq!(result, sequential(passed));
    });
}

/// For those that may stop by themselves: the result is one that `sequential` allows for the items that passed.
fn some<R: Send + Debug>(
    terminal: impl Fn(Items<'_>) -> R + Sync,
    allowed: impl Fn(&R, &[usize]) -> bool,
) {
    each_run(false, terminal, |result, passed| {
        assert!(allowed(&result, &passed), "{result:?} of {passed:?}");
    });
}

#[test]
fn for_each() {
    let sum = AtomicUsize::new(0);
    let add = |item| {
        sum.fetch_add(item, Ordering::Relaxed);
    };
    let total = |items: Vec<usize>| items.into_iter().sum::<usize>();
    let taken = || sum.swap(0, Ordering::Relaxed);
    same(|items| (items.for_each(add), taken()).1, total);
    same(
        |items| {
            (
                items.for_each_with(1, |one, item| add(item * *one)),
                taken(),
            )
                .1
        },
        total,
    );
    same(
        |items| {
            (
                items.for_each_init(|| 1, |one, item| add(item * *one)),
                taken(),
            )
                .1
        },
        total,
    );
}

#[test]
fn try_for_each() {
    let seen = AtomicUsize::new(0);
    let count = |item: usize| {
        seen.fetch_add(1, Ordering::Relaxed);
        if item < LEN { Ok(()) } else { Err(item) }
    };
    let taken = || seen.swap(0, Ordering::Relaxed);
    let all = |items: Vec<usize>| (Ok(()), items.len());
    same(|items| (items.try_for_each(count), taken()), all);
    same(
        |items| (items.try_for_each_with((), |(), item| count(item)), taken()),
        all,
    );
    same(
        |items| {
            (
                items.try_for_each_init(|| (), |(), item| count(item)),
                taken(),
            )
        },
        all,
    );
    // One that ends by itself.
    some(
        |items| items.try_for_each(|item| if item % 100 == 99 { Err(item) } else { Ok(()) }),
        |result, passed| match result {
            Ok(()) => passed.iter().all(|item| item % 100 != 99),
            Err(item) => passed.contains(item),
        },
    );
}

#[test]
fn count() {
    same(|items| items.count(), |items| items.len());
}

#[test]
fn reduce() {
    let total = |items: Vec<usize>| items.into_iter().sum::<usize>();
    same(|items| items.reduce(|| 0, |a, b| a + b), total);
    same(
        |items| items.reduce_with(|a, b| a + b),
        |items| items.into_iter().reduce(|a, b| a + b),
    );
    same(
        |items| items.map(Some).try_reduce(|| 0, usize::checked_add),
        |items| Some(total(items)),
    );
    same(
        |items| items.map(Some).try_reduce_with(usize::checked_add),
        |items| items.into_iter().reduce(|a, b| a + b).map(Some),
    );
    some(
        |items| {
            items
                .map(|item| if item == 500 { Err(item) } else { Ok(item) })
                .try_reduce(|| 0, |a, b| Ok(a + b))
        },
        |result, passed| match result {
            Ok(sum) => *sum == passed.iter().sum::<usize>() && !passed.contains(&500),
            Err(item) => *item == 500,
        },
    );
}

#[test]
fn sums_and_products() {
    same(|items| items.sum::<usize>(), |items| items.iter().sum());
    let odd = |item: usize| (item as u64 % 5 + 1).wrapping_mul(2) % 3 + 1;
    same(
        |items| {
            items
                .map(odd)
                .map(std::num::Wrapping)
                .product::<std::num::Wrapping<u64>>()
        },
        |items| items.into_iter().map(odd).map(std::num::Wrapping).product(),
    );
    same(
        |items| items.map(Some).sum::<Option<usize>>(),
        |items| items.into_iter().map(Some).sum(),
    );
    same(
        |items| {
            items
                .map(|_| Ok::<usize, ()>(1))
                .product::<Result<usize, ()>>()
        },
        |items| items.into_iter().map(|_| Ok::<usize, ()>(1)).product(),
    );
}

#[test]
fn extremes() {
    let key = |item: &usize| (item * 7919) % 1009;
    same(|items| items.min(), |items| items.into_iter().min());
    same(|items| items.max(), |items| items.into_iter().max());
    same(
        |items| items.min_by(|a, b| key(a).cmp(&key(b))),
        |items| items.into_iter().min_by_key(key),
    );
    same(
        |items| items.max_by(|a, b| key(a).cmp(&key(b))),
        |items| items.into_iter().max_by_key(key),
    );
    same(
        |items| items.min_by_key(key),
        |items| items.into_iter().min_by_key(key),
    );
    same(
        |items| items.max_by_key(key),
        |items| items.into_iter().max_by_key(key),
    );
}

#[test]
fn searches() {
    let hit = |item: &usize| item % 100 == 7;
    let half = |item: usize| hit(&item).then_some(item / 2);
    // Of those that passed, any.
    let any = |found: &Option<usize>, passed: &[usize]| match found {
        Some(item) => hit(item) && passed.contains(item),
        None => !passed.iter().any(hit),
    };
    some(|items| items.find_any(hit), any);
    some(
        |items| items.find_first(hit),
        |found, passed| *found == passed.iter().copied().find(hit),
    );
    some(
        |items| items.find_last(hit),
        |found, passed| *found == passed.iter().copied().rfind(hit),
    );
    some(
        |items| items.find_map_any(half),
        |found, passed| match found {
            Some(halved) => passed.iter().any(|item| half(*item) == Some(*halved)),
            None => !passed.iter().any(hit),
        },
    );
    some(
        |items| items.find_map_first(half),
        |found, passed| *found == passed.iter().copied().find_map(half),
    );
    some(
        |items| items.find_map_last(half),
        |found, passed| *found == passed.iter().rev().copied().find_map(half),
    );
    some(
        |items| items.any(|item| hit(&item)),
        |found, passed| *found == passed.iter().any(hit),
    );
    some(
        |items| items.all(|item| !hit(&item)),
        |found, passed| *found != passed.iter().any(hit),
    );
    // A search for what is not there sees everything that passes.
    same(|items| items.find_any(|item| *item == LEN), |_| None);
    same(|items| items.any(|item| item == LEN), |_| false);
    same(|items| items.all(|item| item < LEN), |_| true);
}

#[test]
fn collections_keep_the_order_of_what_passed() {
    same(|items| items.collect::<Vec<_>>(), |items| items);
    same(|items| items.collect::<VecDeque<_>>(), VecDeque::from);
    same(
        |items| items.collect::<LinkedList<_>>(),
        |items| items.into_iter().collect(),
    );
    same(|items| items.collect::<Box<[_]>>(), Vec::into_boxed_slice);
    same(|items| items.collect::<Arc<[_]>>(), Arc::from);
    same(
        |items| items.collect::<BTreeSet<_>>(),
        |items| items.into_iter().collect(),
    );
    same(
        |items| items.collect::<HashSet<_>>(),
        |items| items.into_iter().collect(),
    );
    same(
        |items| items.collect::<BinaryHeap<_>>().into_sorted_vec(),
        |items| items,
    );
    same(
        |items| {
            items
                .map(|item| (item, item + 1))
                .collect::<BTreeMap<_, _>>()
        },
        |items| items.into_iter().map(|item| (item, item + 1)).collect(),
    );
    same(
        |items| {
            items
                .map(|item| (item, item + 1))
                .collect::<HashMap<_, _>>()
        },
        |items| items.into_iter().map(|item| (item, item + 1)).collect(),
    );
    same(
        |items| items.map(|item| item.to_string()).collect::<String>(),
        |items| items.into_iter().map(|item| item.to_string()).collect(),
    );
    same(
        |items| items.collect::<Cow<'static, [usize]>>().into_owned(),
        |items| items,
    );
    same(|items| items.map(drop).collect::<()>(), |_| ());
    same(|items| items.map(Some).collect::<Option<Vec<_>>>(), Some);
    same(|items| items.map(Ok).collect::<Result<Vec<_>, ()>>(), Ok);
    same(
        |items| items.collect_vec_list().into_iter().flatten().collect(),
        |items| items,
    );
}

#[test]
fn splitting_collections() {
    let odd = |item: &usize| item % 2 == 1;
    let pair = |item: usize| (item, item + 1);
    let either = |item: usize| match item % 2 {
        0 => Either::Left(item),
        _ => Either::Right(item),
    };
    same(
        |items| items.map(pair).unzip::<_, _, Vec<_>, Vec<_>>(),
        |items| items.into_iter().map(pair).unzip(),
    );
    same(
        |items| items.partition::<Vec<_>, Vec<_>, _>(odd),
        |items| items.into_iter().partition(odd),
    );
    same(
        |items| items.partition_map::<Vec<_>, Vec<_>, _, _, _>(either),
        |items| items.into_iter().partition(|item| item % 2 == 0),
    );
}

#[test]
fn extending_appends_what_passed() {
    let behind = |mut start: Vec<usize>, items: Vec<usize>| {
        start.extend(items);
        start
    };
    same(
        |items| {
            let mut all = vec![LEN; 3];
            all.par_extend(items);
            all
        },
        |items| behind(vec![LEN; 3], items),
    );
    same(
        |items| {
            let mut all = BTreeSet::from([LEN]);
            all.par_extend(items);
            all
        },
        |items| items.into_iter().chain([LEN]).collect(),
    );
}

#[test]
fn adapters_that_follow() {
    same(
        |items| items.map(|item| item + 1).collect::<Vec<_>>(),
        |items| items.into_iter().map(|item| item + 1).collect(),
    );
    same(
        |items| {
            items
                .map_with(1, |one, item| item + *one)
                .collect::<Vec<_>>()
        },
        |items| items.into_iter().map(|item| item + 1).collect(),
    );
    same(
        |items| {
            items
                .map_init(|| 1, |one, item| item + *one)
                .collect::<Vec<_>>()
        },
        |items| items.into_iter().map(|item| item + 1).collect(),
    );
    same(
        |items| items.update(|item| *item += 1).collect::<Vec<_>>(),
        |items| items.into_iter().map(|item| item + 1).collect(),
    );
    same(
        |items| items.filter(|item| item % 3 == 0).collect::<Vec<_>>(),
        |items| items.into_iter().filter(|item| item % 3 == 0).collect(),
    );
    same(
        |items| {
            items
                .filter_map(|item| item.checked_sub(500))
                .collect::<Vec<_>>()
        },
        |items| {
            items
                .into_iter()
                .filter_map(|item| item.checked_sub(500))
                .collect()
        },
    );
    same(
        |items| items.flat_map(|item| [item; 3]).collect::<Vec<_>>(),
        |items| items.into_iter().flat_map(|item| [item; 3]).collect(),
    );
    same(
        |items| items.flat_map_iter(|item| 0..item % 5).collect::<Vec<_>>(),
        |items| items.into_iter().flat_map(|item| 0..item % 5).collect(),
    );
    same(
        |items| items.map(Some).flatten().collect::<Vec<_>>(),
        |items| items,
    );
    same(
        |items| items.map(Some).flatten_iter().collect::<Vec<_>>(),
        |items| items,
    );
    same(
        |items| items.map(Some).while_some().collect::<Vec<_>>(),
        |items| items,
    );
    same(
        |items| items.panic_fuse().collect::<Vec<_>>(),
        |items| items,
    );
    // rayon puts a separator before the first item of each part but the first part, even if the parts before are empty.
    each_run(
        true,
        |items| items.intersperse(LEN).collect::<Vec<_>>(),
        |result, passed| {
            let gaps = passed.len().saturating_sub(1);
            let mut all: Vec<_> = passed.into_iter().flat_map(|item| [item, LEN]).collect();
            all.truncate(all.len() / 2 + gaps);
            assert_eq!(result.strip_prefix(&[LEN]).unwrap_or(&result), all);
        },
    );
    same(
        |items| items.chain(LEN..LEN + 3).collect::<Vec<_>>(),
        |items| items.into_iter().chain(LEN..LEN + 3).collect(),
    );
    same(
        |items| items.fold(|| 0, |a, b| a + b).sum::<usize>(),
        |items| items.into_iter().sum(),
    );
    same(
        |items| items.fold_with(0, |a, b| a + b).sum::<usize>(),
        |items| items.into_iter().sum(),
    );
    same(
        |items| {
            items
                .try_fold(|| 0, usize::checked_add)
                .sum::<Option<usize>>()
        },
        |items| Some(items.into_iter().sum()),
    );
    same(
        |items| {
            items
                .try_fold_with(0, usize::checked_add)
                .sum::<Option<usize>>()
        },
        |items| Some(items.into_iter().sum()),
    );
    some(
        |items| items.take_any(10).count(),
        |count, passed| *count == passed.len().min(10),
    );
    same(
        |items| items.skip_any(10).count(),
        |items| items.len().saturating_sub(10),
    );
    some(
        |items| {
            items
                .take_any_while(|item| *item != 500)
                .collect::<Vec<_>>()
        },
        |taken, passed| {
            taken
                .iter()
                .all(|item| *item != 500 && passed.contains(item))
        },
    );
    same(
        |items| items.skip_any_while(|item| *item < LEN).count(),
        |_| 0,
    );
}

/// Whatever has to know places or lengths comes before `with_token`.
#[test]
fn adapters_that_come_before() {
    for pool in &*POOLS {
        for (stop, every) in stops(LEN)
            .into_iter()
            .flat_map(|stop| EVERY.map(|every| (stop, every)))
        {
            let run = |count: &dyn Fn(&cantok_core::Token) -> usize| {
                let passed = count(&stop.token());
                let by_call = matches!(stop, crate::stops::Stop::At(_));
                assert!(
                    by_call || stop.allows(passed, LEN),
                    "{stop:?}, {every:?}: {passed}"
                );
            };
            let unindexed = every.unwrap_or(1);
            pool.install(|| {
                let numbers = || (0..LEN).into_par_iter();
                run(&|token| {
                    let items = checked(numbers().enumerate().with_token(token), every);
                    let items: Vec<_> = items.collect();
                    assert!(items.iter().all(|(place, item)| place == item));
                    items.len()
                });
                run(&|token| {
                    let items = checked(numbers().zip(1..LEN + 1).with_token(token), every);
                    let items: Vec<_> = items.collect();
                    assert!(items.iter().all(|(left, right)| left + 1 == *right));
                    items.len()
                });
                run(&|token| {
                    let items = checked(numbers().rev().with_token(token), every);
                    let items: Vec<_> = items.collect();
                    assert!(items.is_sorted_by(|left, right| left > right));
                    items.len()
                });
                run(&|token| {
                    let items = (0..LEN * 3).into_par_iter().chunks(3).with_token(token);
                    let items = checked(items, every);
                    items.filter(|chunk| chunk.len() == 3).count()
                });
                run(&|token| {
                    let items = (0..LEN * 3).into_par_iter().step_by(3).with_token(token);
                    let items = checked(items, every);
                    items.filter(|item| item % 3 == 0).count()
                });
                run(&|token| checked(numbers().with_max_len(7).with_token(token), every).count());
                run(&|token| checked(numbers().with_min_len(7).with_token(token), every).count());
                run(&|token| {
                    numbers()
                        .by_uniform_blocks(64)
                        .with_token(token)
                        .check_every(unindexed)
                        .count()
                });
                run(&|token| {
                    numbers()
                        .by_exponential_blocks()
                        .with_token(token)
                        .check_every(unindexed)
                        .count()
                });
                run(&|token| checked(numbers().interleave(0..0).with_token(token), every).count());
                run(&|token| {
                    let (some, others) = (0..LEN / 4, LEN / 4..LEN);
                    let items = some.into_par_iter().interleave(others).with_token(token);
                    checked(items, every).count()
                });
                run(&|token| {
                    let (some, others) = (0..LEN / 4, LEN / 4..LEN);
                    let items = some.into_par_iter().chain(others).with_token(token);
                    let items: Vec<_> = checked(items, every).collect();
                    assert!(items.is_sorted());
                    items.len()
                });
                run(&|token| {
                    let items = numbers().map(|item| item.to_string()).collect::<Vec<_>>();
                    checked(items.into_par_iter().with_token(token), every).count()
                });
                run(&|token| checked(numbers().panic_fuse().with_token(token), every).count());
                run(&|token| {
                    let items = (0..LEN * 2).into_par_iter().skip(LEN);
                    checked(items.with_token(token), every).count()
                });
                run(&|token| {
                    let items = (0..LEN * 2).into_par_iter().take(LEN);
                    checked(items.with_token(token), every).count()
                });
                run(&|token| {
                    numbers()
                        .positions(|_| true)
                        .with_token(token)
                        .check_every(unindexed)
                        .count()
                });
                run(&|token| {
                    numbers()
                        .filter(|_| true)
                        .with_token(token)
                        .check_every(unindexed)
                        .count()
                });
                run(&|token| checked(numbers().map(|item| item).with_token(token), every).count());
                run(&|token| {
                    numbers()
                        .flat_map(|item| [item])
                        .with_token(token)
                        .check_every(unindexed)
                        .count()
                });
                run(&|token| {
                    numbers()
                        .flat_map_iter(|item| [item])
                        .with_token(token)
                        .check_every(unindexed)
                        .count()
                });
            });
        }
    }
}

#[test]
fn the_length_is_not_known() {
    let items = (0..LEN).into_par_iter();
    assert_eq!(items.opt_len(), Some(LEN));
    assert_eq!(
        items.with_token(cantok_core::Token::never()).opt_len(),
        None
    );
}

#[test]
fn endless_items_end_with_their_token() {
    watchdog("endless items under a counter", || {
        let token = cantok_core::CounterToken::new(1_000);
        assert_eq!(
            rayon::iter::repeat(1).with_token(&token).sum::<u32>(),
            1_000
        );
        assert!(token.cancellation().is_some());
    });
}
