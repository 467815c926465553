use cantok_core::adapter::{Current, Entered};
use rayon::iter::plumbing::{Consumer, Folder, Reducer, UnindexedConsumer};

/// A consumer whose code has the current token of the thread that drives the parallel iterator, on every thread. So has
/// the code of a base that runs while a folder exists.
pub(crate) struct CarryConsumer<'c, C> {
    base: C,
    current: &'c Current,
}

impl<'c, C> CarryConsumer<'c, C> {
    pub(crate) fn new(base: C, current: &'c Current) -> Self {
        CarryConsumer { base, current }
    }
}

impl<'c, T, C: Consumer<T>> Consumer<T> for CarryConsumer<'c, C> {
    type Folder = CarryFolder<C::Folder>;
    type Reducer = CarryReducer<'c, C::Reducer>;
    type Result = C::Result;

    fn split_at(self, index: usize) -> (Self, Self, Self::Reducer) {
        let CarryConsumer { base, current } = self;
        let (left, right, base) = base.split_at(index);
        (
            CarryConsumer::new(left, current),
            CarryConsumer::new(right, current),
            CarryReducer { base, current },
        )
    }

    fn into_folder(self) -> Self::Folder {
        let entered = self.current.clone().entered();
        CarryFolder {
            base: self.base.into_folder(),
            _entered: entered,
        }
    }

    fn full(&self) -> bool {
        self.base.full()
    }
}

impl<T, C: UnindexedConsumer<T>> UnindexedConsumer<T> for CarryConsumer<'_, C> {
    fn split_off_left(&self) -> Self {
        CarryConsumer::new(self.base.split_off_left(), self.current)
    }

    fn to_reducer(&self) -> Self::Reducer {
        CarryReducer {
            base: self.base.to_reducer(),
            current: self.current,
        }
    }
}

/// Rayon makes, feeds and completes a folder on one thread. A consumer may keep several, and complete them in any order.
pub(crate) struct CarryFolder<F> {
    base: F,
    /// Dropped last.
    _entered: Entered,
}

impl<T, F: Folder<T>> Folder<T> for CarryFolder<F> {
    type Result = F::Result;

    fn consume(mut self, item: T) -> Self {
        self.base = self.base.consume(item);
        self
    }

    fn consume_iter<I>(mut self, iter: I) -> Self
    where
        I: IntoIterator<Item = T>,
    {
        self.base = self.base.consume_iter(iter);
        self
    }

    fn complete(self) -> Self::Result {
        self.base.complete()
    }

    fn full(&self) -> bool {
        self.base.full()
    }
}

pub(crate) struct CarryReducer<'c, R> {
    base: R,
    current: &'c Current,
}

impl<T, R: Reducer<T>> Reducer<T> for CarryReducer<'_, R> {
    fn reduce(self, left: T, right: T) -> T {
        let CarryReducer { base, current } = self;
        current.clone().enter(|| base.reduce(left, right))
    }
}
