use crate::blocks::{Blocks, Stopping};
use crate::run::Run;
use crate::try_with_token::TryBlocks;
use crate::{TryWithToken, WithToken, try_with_token, with_token};
use cantok_core::{CancellationError, Token};
use rayon::iter::plumbing::{
    self, Consumer, Producer, ProducerCallback, UnindexedConsumer, bridge_producer_consumer,
};
use rayon::iter::{IndexedParallelIterator, ParallelIterator};

/// [`WithToken`] or [`TryWithToken`] with one check for many items. Made by their methods
/// [`check_every`](WithToken::check_every).
#[derive(Clone, Debug)]
#[must_use = "iterator adaptors are lazy and do nothing unless consumed"]
pub struct CheckEvery<A> {
    adapter: A,
    items: usize,
}

impl<A> CheckEvery<A> {
    #[track_caller]
    fn new(adapter: A, items: usize) -> Self {
        assert!(items > 0, "a check for every 0 items");
        CheckEvery { adapter, items }
    }
}

impl<I: IndexedParallelIterator> WithToken<I> {
    /// One check for each `items` items, instead of one for each: after the cancel each thread starts at most `items`
    /// more of them.
    #[track_caller]
    pub fn check_every(self, items: usize) -> CheckEvery<Self> {
        CheckEvery::new(self, items)
    }
}

impl<I: IndexedParallelIterator> TryWithToken<I> {
    /// As [`WithToken::check_every`].
    #[track_caller]
    pub fn check_every(self, items: usize) -> CheckEvery<Self> {
        CheckEvery::new(self, items)
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
                let consumer = Stopping::new(self.consumer, &self.run);
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
        plumbing::bridge(self, consumer)
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
