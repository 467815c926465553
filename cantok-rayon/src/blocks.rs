//! Items in blocks, with one check for each block. Each block is a producer of its own, and runs in the base's loop.

use crate::run::Run;
use cantok_core::adapter::Allowance;
use rayon::iter::plumbing::{Consumer, Folder, Producer, UnindexedConsumer};
use std::convert::Infallible;
use std::ops::ControlFlow;

/// Folds the `len` items of `base` until the token is cancelled. Also returns how many items were left out.
pub(crate) fn fold_blocks<P, F>(base: P, len: usize, run: &Run, folder: F) -> (F, usize)
where
    P: Producer,
    F: Folder<P::Item>,
{
    let (mut base, mut left, mut folder) = (base, len, folder);
    while left > 0 && !folder.full() {
        let mut block_len = run.block(left);
        let mut allowance = None;
        if !run.is_live() {
            let Some(allowed) = run.allow(left) else {
                break;
            };
            if run.is_counted() {
                block_len = allowed.left() as usize;
                allowance = Some(allowed);
            }
        }
        let (block, rest) = base.split_at(block_len);
        folder = match &mut allowance {
            None => block.fold_with(folder),
            Some(allowance) => {
                let noting = NotingFolder {
                    base: folder,
                    allowance,
                };
                block.fold_with(noting).base
            }
        };
        base = rest;
        left -= block_len;
    }
    (folder, left)
}

/// Counts how many items of a block pass. Fewer do if one panics, or if `base` becomes full.
struct NotingFolder<'a, 'r, F> {
    base: F,
    allowance: &'a mut Allowance<'r>,
}

impl<T, F: Folder<T>> Folder<T> for NotingFolder<'_, '_, F> {
    type Result = F::Result;

    fn consume(mut self, item: T) -> Self {
        self.allowance.pass(1);
        self.base = self.base.consume(item);
        self
    }

    fn consume_iter<I>(mut self, iter: I) -> Self
    where
        I: IntoIterator<Item = T>,
    {
        let mut items = iter.into_iter();
        if let Some(len) = exact_len(&items) {
            self.base = self.base.consume_iter(Noted {
                items,
                len,
                allowance: self.allowance,
            });
            return self;
        }
        while !self.full() {
            let Some(item) = items.next() else { break };
            self = self.consume(item);
        }
        self
    }

    fn complete(self) -> Self::Result {
        self.base.complete()
    }

    fn full(&self) -> bool {
        self.base.full()
    }
}

/// Returns the number of items, if the iterator knows it.
fn exact_len(items: &impl Iterator) -> Option<usize> {
    let (lower, upper) = items.size_hint();
    upper.filter(|upper| *upper == lower)
}

/// Items of a known number. On drop, it passes on how many of them were yielded.
struct Noted<'a, 'r, I: Iterator> {
    items: I,
    len: usize,
    allowance: &'a mut Allowance<'r>,
}

impl<I: Iterator> Iterator for Noted<'_, '_, I> {
    type Item = I::Item;

    #[inline]
    fn next(&mut self) -> Option<I::Item> {
        self.items.next()
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.items.size_hint()
    }

    #[inline]
    fn fold<B, F>(mut self, init: B, mut f: F) -> B
    where
        F: FnMut(B, I::Item) -> B,
    {
        // By reference, so that the drop sees how many items are left. Counting them would prevent vectorisation.
        let folded = self.items.try_fold(init, |folded, item| {
            ControlFlow::<Infallible, B>::Continue(f(folded, item))
        });
        match folded {
            ControlFlow::Continue(folded) => folded,
        }
    }
}

impl<I: Iterator> Drop for Noted<'_, '_, I> {
    #[inline]
    fn drop(&mut self) {
        let left = self.items.size_hint().0;
        self.allowance.pass(self.len.saturating_sub(left) as u64);
    }
}

/// The producer of `with_token(t).check_every(n)`. Rayon only folds it.
pub(crate) struct Blocks<'r, P> {
    base: P,
    len: usize,
    run: &'r Run,
}

impl<'r, P> Blocks<'r, P> {
    pub(crate) fn new(base: P, len: usize, run: &'r Run) -> Self {
        Blocks { base, len, run }
    }
}

impl<P: Producer> Producer for Blocks<'_, P> {
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
        let (left, right) = self.base.split_at(index);
        (
            Blocks::new(left, index, self.run),
            Blocks::new(right, self.len - index, self.run),
        )
    }

    fn fold_with<F>(self, folder: F) -> F
    where
        F: Folder<Self::Item>,
    {
        fold_blocks(self.base, self.len, self.run, folder).0
    }
}

/// A consumer that is full once the token is cancelled, so that rayon leaves out whole parts. The producer makes the
/// checks.
pub(crate) struct Stopping<'r, C> {
    base: C,
    run: &'r Run,
}

impl<'r, C> Stopping<'r, C> {
    pub(crate) fn new(base: C, run: &'r Run) -> Self {
        Stopping { base, run }
    }
}

impl<T, C: Consumer<T>> Consumer<T> for Stopping<'_, C> {
    type Folder = C::Folder;
    type Reducer = C::Reducer;
    type Result = C::Result;

    fn split_at(self, index: usize) -> (Self, Self, Self::Reducer) {
        let (left, right, reducer) = self.base.split_at(index);
        (
            Stopping::new(left, self.run),
            Stopping::new(right, self.run),
            reducer,
        )
    }

    fn into_folder(self) -> Self::Folder {
        self.base.into_folder()
    }

    fn full(&self) -> bool {
        self.base.full() || self.run.is_over()
    }
}

impl<T, C: UnindexedConsumer<T>> UnindexedConsumer<T> for Stopping<'_, C> {
    fn split_off_left(&self) -> Self {
        Stopping::new(self.base.split_off_left(), self.run)
    }

    fn to_reducer(&self) -> Self::Reducer {
        self.base.to_reducer()
    }
}
