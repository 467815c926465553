use crate::gate::Gate;
use crate::run::Run;
use cantok_core::Token;
use rayon::iter::ParallelIterator;
use rayon::iter::plumbing::{Consumer, Folder, UnindexedConsumer};

/// A parallel iterator that stops quietly when its token is cancelled. Made by
/// [`ParallelIteratorTokenExt::with_token`](crate::ParallelIteratorTokenExt::with_token).
///
/// Not indexed: put `enumerate`, `zip`, `chunks` and the like before it.
#[derive(Clone, Debug)]
#[must_use = "iterator adaptors are lazy and do nothing unless consumed"]
pub struct WithToken<I> {
    pub(crate) base: I,
    pub(crate) token: Token,
    /// The number of items per check, if the base is not indexed. Otherwise 1, and a `CheckEvery` has the number.
    pub(crate) every: usize,
}

pub(crate) const NAME: &str = "with_token";

impl<I> WithToken<I> {
    pub(crate) fn new(base: I, token: Token) -> Self {
        WithToken {
            base,
            token,
            every: 1,
        }
    }
}

// Neither an `IndexedParallelIterator` nor one with an `opt_len`: rayon allocates for the exact number of items, and
// panics if there are fewer.
impl<I: ParallelIterator> ParallelIterator for WithToken<I> {
    type Item = I::Item;

    fn drive_unindexed<C>(self, consumer: C) -> C::Result
    where
        C: UnindexedConsumer<Self::Item>,
    {
        let run = Run::new(self.token, self.every, NAME);
        let consumer = WithTokenConsumer::new(run.carry(consumer), &run);
        self.base.drive_unindexed(consumer)
    }
}

pub(crate) struct WithTokenConsumer<'r, C> {
    base: C,
    run: &'r Run,
}

impl<'r, C> WithTokenConsumer<'r, C> {
    pub(crate) fn new(base: C, run: &'r Run) -> Self {
        WithTokenConsumer { base, run }
    }
}

impl<'r, T, C: Consumer<T>> Consumer<T> for WithTokenConsumer<'r, C> {
    type Folder = WithTokenFolder<'r, C::Folder>;
    type Reducer = C::Reducer;
    type Result = C::Result;

    fn split_at(self, index: usize) -> (Self, Self, Self::Reducer) {
        let (left, right, reducer) = self.base.split_at(index);
        (
            WithTokenConsumer::new(left, self.run),
            WithTokenConsumer::new(right, self.run),
            reducer,
        )
    }

    fn into_folder(self) -> Self::Folder {
        WithTokenFolder {
            base: self.base.into_folder(),
            gate: Gate::new(self.run),
        }
    }

    fn full(&self) -> bool {
        self.base.full() || self.run.is_over()
    }
}

impl<T, C: UnindexedConsumer<T>> UnindexedConsumer<T> for WithTokenConsumer<'_, C> {
    fn split_off_left(&self) -> Self {
        WithTokenConsumer::new(self.base.split_off_left(), self.run)
    }

    fn to_reducer(&self) -> Self::Reducer {
        self.base.to_reducer()
    }
}

pub(crate) struct WithTokenFolder<'r, F> {
    base: F,
    gate: Gate<'r>,
}

impl<T, F: Folder<T>> Folder<T> for WithTokenFolder<'_, F> {
    type Result = F::Result;

    fn consume(mut self, item: T) -> Self {
        if self.gate.lets_pass() {
            self.base = self.base.consume(item);
        }
        self
    }

    fn consume_iter<I>(mut self, iter: I) -> Self
    where
        I: IntoIterator<Item = T>,
    {
        self.base = self.base.consume_iter(self.gate.pass(iter));
        self
    }

    fn complete(self) -> Self::Result {
        self.base.complete()
    }

    fn full(&self) -> bool {
        self.base.full() || self.gate.is_over()
    }
}
