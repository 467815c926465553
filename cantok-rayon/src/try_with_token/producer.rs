use crate::gate::Gate;
use crate::run::Run;
use cantok_core::CancellationError;
use cantok_core::adapter::Entered;
use rayon::iter::plumbing::Producer;

/// Pulls from its base until the token is cancelled.
pub(super) struct TryProducer<'r, P> {
    base: P,
    run: &'r Run,
}

impl<'r, P> TryProducer<'r, P> {
    pub(super) fn new(base: P, run: &'r Run) -> Self {
        TryProducer { base, run }
    }
}

impl<'r, P: Producer> Producer for TryProducer<'r, P> {
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
            TryProducer::new(left, self.run),
            TryProducer::new(right, self.run),
        )
    }
}

/// Yields as many results as the base has items.
pub(crate) struct TryIter<'r, I> {
    base: I,
    /// The number of results to come. The base has as many items until the token is cancelled.
    left: usize,
    gate: Gate<'r>,
    /// For what pulls items, and for the base. Dropped last.
    _entered: Entered,
}

impl<'r, I: ExactSizeIterator> TryIter<'r, I> {
    pub(super) fn new(base: impl Producer<IntoIter = I>, run: &'r Run) -> Self {
        let entered = run.enter();
        let base = base.into_iter();
        let left = base.len();
        let mut gate = Gate::new(run);
        gate.expect(left);
        TryIter {
            base,
            left,
            gate,
            _entered: entered,
        }
    }
}

impl<I: Iterator> TryIter<'_, I> {
    #[inline]
    fn step(
        &mut self,
        pull: impl FnOnce(&mut I) -> Option<I::Item>,
    ) -> Option<Result<I::Item, CancellationError>> {
        self.left = self.left.checked_sub(1)?;
        if self.gate.lets_pass() {
            pull(&mut self.base).map(Ok)
        } else {
            self.gate.error().map(Err)
        }
    }
}

impl<I: Iterator> Iterator for TryIter<'_, I> {
    type Item = Result<I::Item, CancellationError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.step(I::next)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<I: DoubleEndedIterator> DoubleEndedIterator for TryIter<'_, I> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.step(I::next_back)
    }
}

impl<I: Iterator> ExactSizeIterator for TryIter<'_, I> {}
