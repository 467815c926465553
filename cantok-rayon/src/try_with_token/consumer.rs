use super::owed::Owed;
use crate::run::Run;
use cantok_core::CancellationError;
use rayon::iter::plumbing::{Consumer, Folder, UnindexedConsumer};

/// Passes results on to its base.
///
/// It is *full*, which lets rayon leave out whole parts of the run, only after an error was delivered and only where no
/// exact number of results is owed. Otherwise nobody would get to know of what was left out, or of less than was
/// promised.
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
            run: self.run,
            owed: self.owed,
        }
    }

    fn full(&self) -> bool {
        self.base.full() || self.owed.allows_full() && self.run.is_stopped()
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
    run: &'r Run,
    owed: Owed,
}

impl<T, F> Folder<T> for TryFolder<'_, F>
where
    F: Folder<Result<T, CancellationError>>,
{
    type Result = F::Result;

    fn consume(mut self, item: T) -> Self {
        match self.run.check() {
            Ok(()) => {
                self.owed.pay_item();
                self.base = self.base.consume(Ok(item));
            }
            Err(error) => {
                if self.owed.pay_error() {
                    self.base = self.base.consume(Err(error));
                    self.run.stop();
                }
            }
        }
        self
    }

    fn consume_iter<I>(mut self, iter: I) -> Self
    where
        I: IntoIterator<Item = T>,
    {
        let mut results = Results {
            items: iter.into_iter(),
            run: self.run,
            owed: self.owed,
            error: self.run.cause(),
            delivers_error: false,
        };
        self.base = self.base.consume_iter(&mut results);
        self.owed = results.owed;
        if results.delivers_error {
            self.run.stop();
        }
        self
    }

    fn complete(self) -> Self::Result {
        self.base.complete()
    }

    fn full(&self) -> bool {
        self.base.full() || self.owed.allows_full() && self.run.is_stopped()
    }
}

/// The items until the token is cancelled, then the errors that are owed, for which nothing is pulled any more.
struct Results<'r, I> {
    items: I,
    run: &'r Run,
    owed: Owed,
    error: Option<CancellationError>,
    delivers_error: bool,
}

impl<I: Iterator> Iterator for Results<'_, I> {
    type Item = Result<I::Item, CancellationError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.error.is_none() {
            let item = self.items.next()?;
            // After the item has come, so that what never comes spends nothing.
            if self.run.lets_pass() {
                self.owed.pay_item();
                return Some(Ok(item));
            }
            self.error = self.run.cause();
        }
        if !self.owed.pay_error() {
            return None;
        }
        self.delivers_error = true;
        self.error.clone().map(Err)
    }
}
