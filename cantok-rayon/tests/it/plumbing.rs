//! Rayon's rules between producers and consumers: every split is passed on, a part of a known length gets exactly that
//! many results, and no consumer is full too early.

use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::pools::POOLS;
use cantok_core::{CancellationError, CounterToken, SimpleToken, Token};
use cantok_rayon::prelude::*;
use rayon::iter::plumbing::{
    Consumer, Folder, Producer, ProducerCallback, Reducer, UnindexedConsumer, bridge,
};
use rayon::prelude::*;

const LEN: usize = 1_000;

/// How many items a part may have that is not split any further. Rayon would make both shorter and longer ones.
const MIN_LEN: usize = 20;
const MAX_LEN: usize = 40;

/// A base that knows its length, notes which items were asked for, and checks that it is split as it should be.
struct Strict<'a> {
    asked: &'a AtomicUsize,
}

impl ParallelIterator for Strict<'_> {
    type Item = usize;

    fn drive_unindexed<C: UnindexedConsumer<usize>>(self, consumer: C) -> C::Result {
        bridge(self, consumer)
    }

    fn opt_len(&self) -> Option<usize> {
        Some(LEN)
    }
}

impl IndexedParallelIterator for Strict<'_> {
    fn len(&self) -> usize {
        LEN
    }

    fn drive<C: Consumer<usize>>(self, consumer: C) -> C::Result {
        bridge(self, consumer)
    }

    fn with_producer<CB: ProducerCallback<usize>>(self, callback: CB) -> CB::Output {
        callback.callback(StrictProducer {
            range: 0..LEN,
            asked: self.asked,
        })
    }
}

struct StrictProducer<'a> {
    range: Range<usize>,
    asked: &'a AtomicUsize,
}

impl<'a> Producer for StrictProducer<'a> {
    type Item = usize;
    type IntoIter = StrictIter<'a>;

    fn into_iter(self) -> StrictIter<'a> {
        let len = self.range.len();
        assert!((MIN_LEN..=MAX_LEN).contains(&len), "a part of {len}");
        StrictIter(self)
    }

    fn min_len(&self) -> usize {
        MIN_LEN
    }

    fn max_len(&self) -> usize {
        MAX_LEN
    }

    fn split_at(self, index: usize) -> (Self, Self) {
        assert!(
            index <= self.range.len(),
            "split at {index} of {:?}",
            self.range
        );
        let middle = self.range.start + index;
        let part = |range| StrictProducer {
            range,
            asked: self.asked,
        };
        (part(self.range.start..middle), part(middle..self.range.end))
    }
}

struct StrictIter<'a>(StrictProducer<'a>);

impl StrictIter<'_> {
    fn note(&self, item: Option<usize>) -> Option<usize> {
        self.0
            .asked
            .fetch_add(usize::from(item.is_some()), Ordering::Relaxed);
        item
    }
}

impl Iterator for StrictIter<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let item = self.0.range.next();
        self.note(item)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.range.size_hint()
    }
}

impl DoubleEndedIterator for StrictIter<'_> {
    fn next_back(&mut self) -> Option<usize> {
        let item = self.0.range.next_back();
        self.note(item)
    }
}

impl ExactSizeIterator for StrictIter<'_> {}

/// Takes results, each of which has its place: a part of length `n` from place `p` gets the items `p..p + n`, or errors
/// in their stead, and parts are put together side by side.
struct StrictConsumer {
    place: usize,
    len: usize,
}

/// The places that were filled, without a gap.
struct Filled {
    places: Range<usize>,
    end: usize,
    items: usize,
}

struct SideBySide;

impl Reducer<Filled> for SideBySide {
    fn reduce(self, left: Filled, right: Filled) -> Filled {
        assert_eq!(left.places.end, left.end, "the left part is not full");
        assert_eq!(left.places.end, right.places.start);
        Filled {
            places: left.places.start..right.places.end,
            end: right.end,
            items: left.items + right.items,
        }
    }
}

impl Consumer<Result<usize, CancellationError>> for StrictConsumer {
    type Folder = Filled;
    type Reducer = SideBySide;
    type Result = Filled;

    fn split_at(self, index: usize) -> (Self, Self, SideBySide) {
        assert!(index <= self.len, "split at {index} of {}", self.len);
        let left = StrictConsumer {
            place: self.place,
            len: index,
        };
        let right = StrictConsumer {
            place: self.place + index,
            len: self.len - index,
        };
        (left, right, SideBySide)
    }

    fn into_folder(self) -> Filled {
        Filled {
            places: self.place..self.place,
            end: self.place + self.len,
            items: 0,
        }
    }

    fn full(&self) -> bool {
        false
    }
}

impl UnindexedConsumer<Result<usize, CancellationError>> for StrictConsumer {
    fn split_off_left(&self) -> Self {
        unreachable!("the length is known");
    }

    fn to_reducer(&self) -> SideBySide {
        unreachable!("the length is known");
    }
}

impl Folder<Result<usize, CancellationError>> for Filled {
    type Result = Self;

    fn consume(mut self, result: Result<usize, CancellationError>) -> Self {
        assert!(self.places.end < self.end, "one too many at {}", self.end);
        if let Ok(item) = result {
            assert_eq!(item, self.places.end, "not at its place");
            self.items += 1;
        }
        self.places.end += 1;
        self
    }

    fn complete(self) -> Self {
        self
    }

    fn full(&self) -> bool {
        false
    }
}

/// The ways in which rayon brings items to a consumer.
const WAYS: [fn(&Token, Strict<'_>, StrictConsumer) -> Filled; 5] = [
    |token, base, consumer| base.try_with_token(token).drive(consumer),
    |token, base, consumer| base.try_with_token(token).drive_unindexed(consumer),
    |token, base, consumer| bridge(base.try_with_token(token), consumer),
    |token, base, consumer| base.try_with_token(token).rev().rev().drive(consumer),
    |token, base, consumer| base.chain(LEN..LEN).try_with_token(token).drive(consumer),
];

/// The number of items that passed and of those that were asked for. Every place is filled, or this panics.
fn fill(way: fn(&Token, Strict<'_>, StrictConsumer) -> Filled, token: &Token) -> (usize, usize) {
    let asked = AtomicUsize::new(0);
    let consumer = StrictConsumer { place: 0, len: LEN };
    let filled = way(token, Strict { asked: &asked }, consumer);
    assert_eq!((filled.places, filled.end), (0..LEN, LEN));
    (filled.items, asked.into_inner())
}

#[test]
fn every_place_is_filled_exactly_once() {
    for pool in &*POOLS {
        let threads = pool.current_num_threads();
        for units in [0, 1, 500, LEN - 1, LEN, LEN + 1] {
            for way in WAYS {
                let token = CounterToken::new(units as u64);
                let (passed, asked) = pool.install(|| fill(way, &token));
                assert_eq!(passed, units.min(LEN));
                assert!(
                    (passed..=passed + threads).contains(&asked),
                    "{asked} for {passed}"
                );
            }
        }
    }
}

#[test]
fn every_place_is_filled_if_another_thread_cancels() {
    for pool in &*POOLS {
        let threads = pool.current_num_threads();
        for round in 0..500 {
            let token = SimpleToken::new();
            let way = WAYS[round % WAYS.len()];
            let filled = pool.install(|| rayon::join(|| fill(way, &token), || token.cancel()));
            let (passed, asked) = filled.0;
            assert!(
                (passed..=passed + threads).contains(&asked),
                "{asked} for {passed}"
            );
        }
    }
}

/// A base that pushes its items one by one or in two lots, and asks in between whether enough has come.
struct Pushes<'a, F> {
    len: Option<usize>,
    /// Called before each item.
    before: F,
    /// What `full` said before each item, and at the end.
    full: &'a Mutex<Vec<bool>>,
    in_lots: bool,
}

impl<F: Fn(usize) + Send> ParallelIterator for Pushes<'_, F> {
    type Item = usize;

    fn drive_unindexed<C: UnindexedConsumer<usize>>(self, consumer: C) -> C::Result {
        let mut note = self.full.lock().unwrap();
        note.push(consumer.full());
        let mut folder = consumer.into_folder();
        if self.in_lots {
            for lot in [0..5, 5..10] {
                folder = folder.consume_iter(lot.inspect(|item| (self.before)(*item)));
                note.push(folder.full());
            }
        } else {
            for item in 0..10 {
                (self.before)(item);
                folder = folder.consume(item);
                note.push(folder.full());
            }
        }
        folder.complete()
    }

    fn opt_len(&self) -> Option<usize> {
        self.len
    }
}

/// The results of ten items of which number 3 cancels before it is passed on, and what `full` said.
fn push(len: Option<usize>, in_lots: bool) -> (Vec<Option<usize>>, Vec<bool>) {
    let token = SimpleToken::new();
    let full = Mutex::new(Vec::new());
    let base = Pushes {
        len,
        before: |item| {
            if item == 3 {
                token.cancel();
            }
        },
        full: &full,
        in_lots,
    };
    // `fold` asks for no length, so it takes from both kinds of base.
    let results = base
        .try_with_token(&token)
        .fold(Vec::new, |mut list, result| {
            list.push(result.ok());
            list
        });
    let list = results.reduce(Vec::new, |left, right| [left, right].concat());
    (list, full.into_inner().unwrap())
}

#[test]
fn a_known_length_is_never_reported_as_enough() {
    let expected: Vec<_> = (0..10).map(|item| (item < 3).then_some(item)).collect();
    assert_eq!(push(Some(10), false), (expected.clone(), vec![false; 11]));
    assert_eq!(push(Some(10), true), (expected, vec![false; 3]));
}

#[test]
fn where_none_is_known_one_error_is_enough() {
    let expected = vec![Some(0), Some(1), Some(2), None];
    let (list, full) = push(None, false);
    assert_eq!(list, expected);
    // Items 0 to 2, then the error, then enough.
    let (before, after) = full.split_at(4);
    assert!(
        before.iter().all(|full| !full) && after.iter().all(|full| *full),
        "{full:?}"
    );
    assert_eq!(push(None, true), (expected, vec![false, true, true]));
}

/// A part is not full before it has delivered an error, even if the token was cancelled long before.
#[test]
fn an_error_comes_before_enough_in_every_part() {
    let token = SimpleToken::new();
    token.cancel();
    let full = [(); 3].map(|()| Mutex::new(Vec::new()));
    let base = |number: usize| Pushes {
        len: None,
        before: |_| (),
        full: &full[number],
        in_lots: false,
    };
    let parts = (0..3_usize).into_par_iter().flat_map(base);
    let results: Vec<_> = parts.try_with_token(&token).collect();
    assert_eq!(results.len(), 3);
    assert!(results.iter().all(Result::is_err));
    for full in full {
        let full = full.into_inner().unwrap();
        assert_eq!(full.iter().position(|full| *full), Some(1), "{full:?}");
        assert!(full[1..].iter().all(|full| *full), "{full:?}");
    }
}

#[test]
fn with_token_says_enough_as_soon_as_the_token_is_cancelled() {
    let token = SimpleToken::new();
    let full = Mutex::new(Vec::new());
    let base = Pushes {
        len: Some(10),
        before: |item| {
            if item == 3 {
                token.cancel();
            }
        },
        full: &full,
        in_lots: false,
    };
    assert_eq!(base.with_token(&token).collect::<Vec<_>>(), [0, 1, 2]);
    let full = full.into_inner().unwrap();
    assert_eq!(full.iter().filter(|full| !**full).count(), 4, "{full:?}");
}

#[test]
fn asking_whether_it_is_enough_spends_nothing() {
    let counter = CounterToken::new(100);
    let full = Mutex::new(Vec::new());
    let base = Pushes {
        len: None,
        before: |_| (),
        full: &full,
        in_lots: false,
    };
    assert_eq!(base.with_token(&counter).count(), 10);
    assert_eq!(full.into_inner().unwrap().len(), 11);
    assert_eq!(counter.remaining(), 90);
}
