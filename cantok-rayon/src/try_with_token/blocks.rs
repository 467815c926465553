use super::producer::TryIter;
use crate::blocks::fold_blocks;
use crate::run::Run;
use cantok_core::CancellationError;
use rayon::iter::plumbing::{Folder, Producer};
use std::iter;

/// The producer of `try_with_token(t).check_every(n)`.
pub(crate) struct TryBlocks<'r, P> {
    base: P,
    len: usize,
    run: &'r Run,
}

impl<'r, P> TryBlocks<'r, P> {
    pub(crate) fn new(base: P, len: usize, run: &'r Run) -> Self {
        TryBlocks { base, len, run }
    }
}

impl<'r, P: Producer> Producer for TryBlocks<'r, P> {
    type Item = Result<P::Item, CancellationError>;
    type IntoIter = TryIter<'r, P::IntoIter>;

    fn into_iter(self) -> Self::IntoIter {
        TryIter::new(self.base, self.run)
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
            TryBlocks::new(left, index, self.run),
            TryBlocks::new(right, self.len - index, self.run),
        )
    }

    fn fold_with<F>(self, folder: F) -> F
    where
        F: Folder<Self::Item>,
    {
        let _entered = self.run.enter();
        let passing = PassingFolder { base: folder };
        let (PassingFolder { base: folder }, left) =
            fold_blocks(self.base, self.len, self.run, passing);
        if left == 0 || folder.full() {
            return folder;
        }
        match self.run.error() {
            Some(error) => folder.consume_iter(iter::repeat_n(error, left).map(Err)),
            None => folder,
        }
    }
}

/// Wraps items in `Ok`.
struct PassingFolder<F> {
    base: F,
}

impl<T, F> Folder<T> for PassingFolder<F>
where
    F: Folder<Result<T, CancellationError>>,
{
    type Result = F::Result;

    fn consume(mut self, item: T) -> Self {
        self.base = self.base.consume(Ok(item));
        self
    }

    fn consume_iter<I>(mut self, iter: I) -> Self
    where
        I: IntoIterator<Item = T>,
    {
        self.base = self.base.consume_iter(iter.into_iter().map(Ok));
        self
    }

    fn complete(self) -> Self::Result {
        self.base.complete()
    }

    fn full(&self) -> bool {
        self.base.full()
    }
}
