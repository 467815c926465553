//! `collect_vec`. Rayon writes each item to its place if it is promised all of them. Into a `Result` it collects
//! through a list of vectors, since their number is unknown. Here it is promised all, and a stop unwinds through it, so
//! that it drops what it has collected.

use crate::blocks::fold_blocks;
use crate::gate::Gate;
use crate::run::Run;
use cantok_core::{CancellationError, Token};
use rayon::iter::plumbing::{
    Consumer, Folder, Producer, ProducerCallback, UnindexedConsumer, bridge,
};
use rayon::iter::{IndexedParallelIterator, ParallelIterator};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// Collects all items, or returns why one was left out.
pub(crate) fn collect_vec<I: IndexedParallelIterator>(
    base: I,
    token: Token,
    every: usize,
) -> Result<Vec<I::Item>, CancellationError> {
    if cfg!(not(panic = "unwind")) {
        let results = crate::CheckEvery::new(super::TryWithToken::new(base, token), every);
        return results.collect();
    }
    let run = Run::new(token, every, super::NAME);
    let mut items = Vec::new();
    let all = AllOrUnwind { base, run: &run };
    let collected = catch_unwind(AssertUnwindSafe(|| all.collect_into_vec(&mut items)));
    match collected {
        Ok(()) => Ok(items),
        Err(panic) if panic.is::<Stopped>() => match run.error() {
            Some(error) => Err(error),
            None => unreachable!("what stops is cancelled"),
        },
        Err(panic) => resume_unwind(panic),
    }
}

/// The payload that unwinds on a stop. No panic hook sees it.
struct Stopped;

/// A parallel iterator that yields all items, or unwinds.
struct AllOrUnwind<'r, I> {
    base: I,
    run: &'r Run,
}

impl<I: IndexedParallelIterator> ParallelIterator for AllOrUnwind<'_, I> {
    type Item = I::Item;

    fn drive_unindexed<C>(self, consumer: C) -> C::Result
    where
        C: UnindexedConsumer<Self::Item>,
    {
        bridge(self, consumer)
    }

    fn opt_len(&self) -> Option<usize> {
        Some(self.len())
    }
}

impl<I: IndexedParallelIterator> IndexedParallelIterator for AllOrUnwind<'_, I> {
    fn drive<C>(self, consumer: C) -> C::Result
    where
        C: Consumer<Self::Item>,
    {
        bridge(self, consumer)
    }

    fn len(&self) -> usize {
        self.base.len()
    }

    fn with_producer<CB>(self, callback: CB) -> CB::Output
    where
        CB: ProducerCallback<Self::Item>,
    {
        let len = self.len();
        return self.base.with_producer(Callback {
            callback,
            len,
            run: self.run,
        });

        struct Callback<'r, CB> {
            callback: CB,
            len: usize,
            run: &'r Run,
        }

        impl<T, CB: ProducerCallback<T>> ProducerCallback<T> for Callback<'_, CB> {
            type Output = CB::Output;

            fn callback<P: Producer<Item = T>>(self, base: P) -> Self::Output {
                self.callback.callback(AllOrUnwindProducer {
                    base,
                    len: self.len,
                    run: self.run,
                })
            }
        }
    }
}

struct AllOrUnwindProducer<'r, P> {
    base: P,
    len: usize,
    run: &'r Run,
}

impl<P: Producer> Producer for AllOrUnwindProducer<'_, P> {
    type Item = P::Item;
    type IntoIter = P::IntoIter;

    fn into_iter(self) -> Self::IntoIter {
        unreachable!("this one is bridged, and a bridge folds")
    }

    fn min_len(&self) -> usize {
        self.base.min_len()
    }

    fn max_len(&self) -> usize {
        self.base.max_len()
    }

    fn split_at(self, index: usize) -> (Self, Self) {
        let AllOrUnwindProducer { base, len, run } = self;
        let (left, right) = base.split_at(index);
        let producer = |base, len| AllOrUnwindProducer { base, len, run };
        (producer(left, index), producer(right, len - index))
    }

    fn fold_with<F>(self, folder: F) -> F
    where
        F: Folder<Self::Item>,
    {
        let _entered = self.run.enter();
        let (folder, is_stopped) = if self.run.checks_each() {
            let mut gate = Gate::new(self.run);
            let folder = folder.consume_iter(gate.pass(self.base.into_iter()));
            (folder, gate.has_refused())
        } else {
            let (folder, left) = fold_blocks(self.base, self.len, self.run, folder);
            (folder, left > 0)
        };
        if is_stopped {
            drop(folder);
            resume_unwind(Box::new(Stopped));
        }
        folder
    }
}
