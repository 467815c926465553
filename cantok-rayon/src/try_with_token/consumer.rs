use super::owed::Owed;
use crate::gate::Gate;
use crate::run::Run;
use cantok_core::CancellationError;
use rayon::iter::plumbing::{Consumer, Folder, UnindexedConsumer};
use std::iter;

/// Passes results on to its base.
///
/// It is *full* only after an error of its own, and only if it owes no exact number of results. Rayon then leaves out
/// later items. An error in another part is not enough: a search for the first hit may skip that error and accept a hit
/// that follows what was left out here.
pub(super) struct TryConsumer<'r, C> {
    base: C,
    run: &'r Run,
    owed: Owed,
}

impl<'r, C> TryConsumer<'r, C> {
    pub(super) fn new(base: C, run: &'r Run, owed: Owed) -> Self {
        TryConsumer { base, run, owed }
    }
}

impl<'r, T, C> Consumer<T> for TryConsumer<'r, C>
where
    C: Consumer<Result<T, CancellationError>>,
{
    type Folder = TryFolder<'r, C::Folder>;
    type Reducer = C::Reducer;
    type Result = C::Result;

    fn split_at(self, index: usize) -> (Self, Self, Self::Reducer) {
        let (left, right, reducer) = self.base.split_at(index);
        let (left_owed, right_owed) = self.owed.split_at(index);
        (
            TryConsumer::new(left, self.run, left_owed),
            TryConsumer::new(right, self.run, right_owed),
            reducer,
        )
    }

    fn into_folder(self) -> Self::Folder {
        TryFolder {
            base: self.base.into_folder(),
            gate: Gate::new(self.run),
            owed: self.owed,
        }
    }

    fn full(&self) -> bool {
        self.base.full()
    }
}

impl<T, C> UnindexedConsumer<T> for TryConsumer<'_, C>
where
    C: UnindexedConsumer<Result<T, CancellationError>>,
{
    fn split_off_left(&self) -> Self {
        TryConsumer::new(
            self.base.split_off_left(),
            self.run,
            self.owed.split_off_left(),
        )
    }

    fn to_reducer(&self) -> Self::Reducer {
        self.base.to_reducer()
    }
}

pub(super) struct TryFolder<'r, F> {
    base: F,
    gate: Gate<'r>,
    owed: Owed,
}

impl<F> TryFolder<'_, F> {
    /// Passes on the errors that are owed.
    fn pay_errors<T>(mut self) -> Self
    where
        F: Folder<Result<T, CancellationError>>,
    {
        if let Some(error) = self.gate.error() {
            let owed = &mut self.owed;
            let errors = iter::repeat_with(|| Err(error.clone()));
            let errors = errors.take_while(|_| owed.pay_error());
            self.base = self.base.consume_iter(errors);
        }
        self
    }
}

impl<T, F> Folder<T> for TryFolder<'_, F>
where
    F: Folder<Result<T, CancellationError>>,
{
    type Result = F::Result;

    fn consume(mut self, item: T) -> Self {
        if self.gate.lets_pass() {
            self.owed.pay_items(1);
            self.base = self.base.consume(Ok(item));
        } else if self.owed.pay_error() {
            if let Some(error) = self.gate.error() {
                self.base = self.base.consume(Err(error));
            }
        }
        self
    }

    fn consume_iter<I>(mut self, iter: I) -> Self
    where
        I: IntoIterator<Item = T>,
    {
        let items = iter.into_iter();
        // A part without items leaves none out. Where there may be none, only pulling an item decides it.
        let has_items = match self.owed {
            Owed::Exactly(left) => left > 0,
            Owed::OneError | Owed::Nothing => items.size_hint().0 > 0,
        };
        if has_items && self.gate.is_over() {
            return self.pay_errors();
        }
        let mut passed = 0;
        let results = self.gate.pass(items).map(|item| {
            passed += 1;
            Ok(item)
        });
        self.base = self.base.consume_iter(results);
        self.owed.pay_items(passed);
        if self.gate.has_refused() && !self.base.full() {
            return self.pay_errors();
        }
        self
    }

    fn complete(self) -> Self::Result {
        self.base.complete()
    }

    fn full(&self) -> bool {
        self.base.full() || self.owed == Owed::Nothing
    }
}
