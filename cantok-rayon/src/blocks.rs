//! Items in blocks, with one check for each. Each block is a producer of its own, whose loop is the base's.

use crate::run::Run;
use cantok_core::adapter::Allowance;
use rayon::iter::plumbing::{Consumer, Folder, Producer, UnindexedConsumer};

/// Has `folder` consume the `len` items of `base` until the token is cancelled. Returns how many were left out, too.
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
            block_len = allowed.left() as usize;
            allowance = Some(allowed).filter(Allowance::is_counted);
        }
        let (block, rest) = base.split_at(block_len);
        folder = match &allowance {
            None => block.fold_with(folder),
            Some(allowance) => fold_counted(block, allowance, folder),
        };
        base = rest;
        left -= block_len;
    }
    (folder, left)
}

/// Notes how many items of the block pass: fewer, if there is a panic, or if `folder` becomes full.
fn fold_counted<P, F>(block: P, allowance: &Allowance<'_>, folder: F) -> F
where
    P: Producer,
    F: Folder<P::Item>,
{
    let counting = CountingFolder {
        base: folder,
        allowance,
    };
    block.fold_with(counting).base
}

struct CountingFolder<'a, F> {
    base: F,
    allowance: &'a Allowance<'a>,
}

impl<T, F: Folder<T>> Folder<T> for CountingFolder<'_, F> {
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
        let allowance = self.allowance;
        let items = iter.into_iter().inspect(|_| allowance.pass(1));
        self.base = self.base.consume_iter(items);
        self
    }

    fn complete(self) -> Self::Result {
        self.base.complete()
    }

    fn full(&self) -> bool {
        self.base.full()
    }
}

/// The producer behind `with_token(t).check_every(n)`. Rayon only folds it.
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

/// Is full once the token is cancelled, so that rayon leaves out whole parts. Checks are the producer's.
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
