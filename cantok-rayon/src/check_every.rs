use crate::blocks::{Blocks, Stopping};
use crate::carry::CarryConsumer;
use crate::run::Run;
use crate::try_with_token::TryBlocks;
use crate::{TryWithToken, WithToken, try_with_token, with_token};
use cantok_core::adapter::Current;
use cantok_core::{CancellationError, Token};
use rayon::iter::plumbing::{
    self, Consumer, Producer, ProducerCallback, UnindexedConsumer, bridge_producer_consumer,
};
use rayon::iter::{IndexedParallelIterator, ParallelIterator};

/// A [`WithToken`] or [`TryWithToken`] with one check for many items. Made by [`WithToken::check_every`] and
/// [`TryWithToken::check_every`].
#[derive(Clone, Debug)]
#[must_use = "iterator adaptors are lazy and do nothing unless consumed"]
pub struct CheckEvery<A> {
    adapter: A,
    items: usize,
}

impl<A> CheckEvery<A> {
    #[track_caller]
    pub(crate) fn new(adapter: A, items: usize) -> Self {
        assert!(items > 0, "a check for every 0 items");
        CheckEvery { adapter, items }
    }
}

impl<I: IndexedParallelIterator> WithToken<I> {
    /// Checks the token once for each `items` items.
    ///
    /// Use it for short items, for which a check for each is noticeable. A stop may come `items` items later. A stopped
    /// iterator still looks finished.
    ///
    /// # Guarantees
    ///
    /// - After the cancel each thread starts at most `items` more items. It runs blocks of `items` items, or of what is
    ///   left of its part.
    /// - Conditions are called once for each block.
    /// - Exactly as many items pass as a counter has units, on any number of threads and in all jobs that share the
    ///   counter. A block takes its units at once and returns those that it does not use. An item that panics has spent
    ///   its unit.
    ///
    /// Two cases leave units unused, if another check is refused while a block holds them: a panic in that block, and a
    /// consumer that needs no more items, such as `find_any`.
    ///
    /// `map_init` and `map_with` before this adapter make a state for each block: put them after it. If the base is not
    /// indexed, as after `filter`, use the method of [`UnindexedTokenExt`](crate::UnindexedTokenExt) instead.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::CounterToken;
    /// use cantok_rayon::prelude::*;
    /// use rayon::prelude::*;
    ///
    /// let budget = CounterToken::new(100_000);
    /// let numbers: Vec<u64> = (0..1_000_000).collect();
    /// let passed = numbers.par_iter().with_token(&budget).check_every(1024).count();
    /// assert_eq!(passed, 100_000);
    /// assert!(budget.cancellation().is_some()); // perhaps not everything
    /// ```
    ///
    /// # Panics
    ///
    /// If `items` is 0, like [`Iterator::step_by`]; a `NonZeroUsize` would be awkward to write. When run, as
    /// [`with_token`](crate::ParallelIteratorTokenExt::with_token).
    ///
    /// # Cost
    ///
    /// Each block runs in the base's own loop, so the compiler can vectorise it as without a token. The time of an
    /// item, as a multiple of plain rayon's (`cargo run --release -p cantok-figures -- measure --only rayon`):
    ///
    /// | an item is | a check for each | `check_every(64)` | `check_every(1024)` |
    /// |---|---|---|---|
    /// | a `u64` from the cache, added up | 2 to 3.5 | 1.05 to 1.3 | about 1.0 |
    /// | a `u64` from memory, added up | 1.2 | about 1.0 | about 1.0 |
    /// | 5 ns of work or more | 1.0 | 1.0 | 1.0 |
    /// | with a counter that threads share | and one write to it | and one for 64 items | and one for 1,024 |
    ///
    /// One write to a shared counter for 1,024 items is noticeable only if these take less than a microsecond.
    #[track_caller]
    pub fn check_every(self, items: usize) -> CheckEvery<Self> {
        CheckEvery::new(self, items)
    }
}

impl<I: IndexedParallelIterator> TryWithToken<I> {
    /// Checks the token once for each `items` items, like [`WithToken::check_every`], and yields an error for each item
    /// that is left out. Still indexed, with the same length.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::{CancellationError, SimpleToken};
    /// use cantok_rayon::prelude::*;
    /// use rayon::prelude::*;
    ///
    /// let squares: Result<Vec<u64>, CancellationError> = (0..1_000_u32)
    ///     .into_par_iter()
    ///     .map(|number| u64::from(number) * u64::from(number))
    ///     .try_with_token(SimpleToken::new())
    ///     .check_every(64)
    ///     .collect();
    /// assert_eq!(squares.unwrap().len(), 1_000);
    /// ```
    ///
    /// # Panics
    ///
    /// As [`WithToken::check_every`].
    #[track_caller]
    pub fn check_every(self, items: usize) -> CheckEvery<Self> {
        CheckEvery::new(self, items)
    }
}

impl<I: IndexedParallelIterator> CheckEvery<TryWithToken<I>> {
    /// Collects all items into a `Vec`, like [`TryWithToken::collect_vec`], with one check for many items.
    ///
    /// # Errors
    ///
    /// If the token was cancelled and an item was left out.
    ///
    /// # Panics
    ///
    /// As [`TryWithToken::collect_vec`].
    pub fn collect_vec(self) -> Result<Vec<I::Item>, CancellationError> {
        let TryWithToken { base, token, .. } = self.adapter;
        try_with_token::collect_vec(base, token, self.items)
    }
}

impl<I: IndexedParallelIterator> ParallelIterator for CheckEvery<WithToken<I>> {
    type Item = I::Item;

    fn drive_unindexed<C>(self, consumer: C) -> C::Result
    where
        C: UnindexedConsumer<Self::Item>,
    {
        let len = self.adapter.base.len();
        let WithToken { base, token, .. } = self.adapter;
        return base.with_producer(Callback {
            consumer,
            len,
            run: Run::new(token, self.items, with_token::NAME),
        });

        struct Callback<C> {
            consumer: C,
            len: usize,
            run: Run,
        }

        impl<T, C: Consumer<T>> ProducerCallback<T> for Callback<C> {
            type Output = C::Result;

            fn callback<P: Producer<Item = T>>(self, base: P) -> C::Result {
                let blocks = Blocks::new(base, self.len, &self.run);
                let consumer = Stopping::new(self.run.carry(self.consumer), &self.run);
                bridge_producer_consumer(self.len, blocks, consumer)
            }
        }
    }
}

impl<I: IndexedParallelIterator> ParallelIterator for CheckEvery<TryWithToken<I>> {
    type Item = Result<I::Item, CancellationError>;

    fn drive_unindexed<C>(self, consumer: C) -> C::Result
    where
        C: UnindexedConsumer<Self::Item>,
    {
        self.drive(consumer)
    }

    fn opt_len(&self) -> Option<usize> {
        Some(self.len())
    }
}

impl<I: IndexedParallelIterator> IndexedParallelIterator for CheckEvery<TryWithToken<I>> {
    fn drive<C>(self, consumer: C) -> C::Result
    where
        C: Consumer<Self::Item>,
    {
        let current = Current::get();
        plumbing::bridge(self, CarryConsumer::new(consumer, &current))
    }

    fn len(&self) -> usize {
        self.adapter.base.len()
    }

    fn with_producer<CB>(self, callback: CB) -> CB::Output
    where
        CB: ProducerCallback<Self::Item>,
    {
        let len = self.len();
        let TryWithToken { base, token, .. } = self.adapter;
        return base.with_producer(Callback {
            callback,
            len,
            token,
            items: self.items,
        });

        struct Callback<CB> {
            callback: CB,
            len: usize,
            token: Token,
            items: usize,
        }

        impl<T, CB> ProducerCallback<T> for Callback<CB>
        where
            CB: ProducerCallback<Result<T, CancellationError>>,
        {
            type Output = CB::Output;

            fn callback<P: Producer<Item = T>>(self, base: P) -> Self::Output {
                let run = Run::new(self.token, self.items, try_with_token::NAME);
                self.callback.callback(TryBlocks::new(base, self.len, &run))
            }
        }
    }
}
