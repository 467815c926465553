//! `try_with_token`: items are pushed through the [`consumer`], or pulled from the [`producer`] if the next adapter
//! depends on their order.

mod blocks;
mod collect_vec;
mod consumer;
mod owed;
mod producer;

pub(crate) use blocks::TryBlocks;
pub(crate) use collect_vec::collect_vec;

use crate::run::Run;
use cantok_core::{CancellationError, Token};
use consumer::TryConsumer;
use owed::Owed;
use producer::TryProducer;
use rayon::iter::plumbing::{Consumer, Producer, ProducerCallback, UnindexedConsumer};
use rayon::iter::{IndexedParallelIterator, ParallelIterator};

/// A parallel iterator that yields errors in place of items once its token is cancelled. Made by
/// [`ParallelIteratorTokenExt::try_with_token`](crate::ParallelIteratorTokenExt::try_with_token).
///
/// Indexed, with the same length, if its base is.
#[derive(Clone, Debug)]
#[must_use = "iterator adaptors are lazy and do nothing unless consumed"]
pub struct TryWithToken<I> {
    pub(crate) base: I,
    pub(crate) token: Token,
    /// The number of items per check, if the base is not indexed. Otherwise 1, and a `CheckEvery` has the number.
    pub(crate) every: usize,
}

impl<I> TryWithToken<I> {
    pub(crate) fn new(base: I, token: Token) -> Self {
        TryWithToken {
            base,
            token,
            every: 1,
        }
    }
}

impl<I: IndexedParallelIterator> TryWithToken<I> {
    /// Collects all items into a `Vec`, in order, or returns why one was left out.
    ///
    /// The result is that of `collect::<Result<Vec<_>, _>>()`, but faster. Work on the items comes before this adapter;
    /// each item's check still precedes its work.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::{CounterToken, SimpleToken};
    /// use cantok_rayon::prelude::*;
    /// use rayon::prelude::*;
    ///
    /// let squares = || (0..1_000_u64).collect::<Vec<_>>().into_par_iter().map(|number| number * number);
    /// let all = squares().try_with_token(SimpleToken::new()).collect_vec();
    /// assert_eq!(all.unwrap()[999], 998_001);
    ///
    /// let error = squares().try_with_token(CounterToken::new(100)).collect_vec().unwrap_err();
    /// assert_eq!(error.to_string(), "the counter of 100 checks is used up");
    /// ```
    ///
    /// # Errors
    ///
    /// If the token was cancelled and an item was left out.
    ///
    /// # Panics
    ///
    /// With the panic of an item or of a check. If an item panics while another thread stops, this either panics or
    /// returns the error.
    ///
    /// # Cost
    ///
    /// Rayon collects into a `Result` by way of many vectors, which it then copies into one, with a token and without.
    /// This writes each item to its place, as plain rayon does for an indexed base.
    ///
    /// A stop unwinds through rayon to drop the collected items, without calling the panic hook. Programs built with
    /// `panic = "abort"` collect as rayon does.
    pub fn collect_vec(self) -> Result<Vec<I::Item>, CancellationError> {
        collect_vec(self.base, self.token, self.every)
    }
}

pub(crate) const NAME: &str = "try_with_token";

impl<I: ParallelIterator> ParallelIterator for TryWithToken<I> {
    type Item = Result<I::Item, CancellationError>;

    fn drive_unindexed<C>(self, consumer: C) -> C::Result
    where
        C: UnindexedConsumer<Self::Item>,
    {
        let owed = self.opt_len().map_or(Owed::OneError, Owed::Exactly);
        let run = Run::new(self.token, self.every, NAME);
        let consumer = TryConsumer::new(run.carry(consumer), &run, owed);
        self.base.drive_unindexed(consumer)
    }

    fn opt_len(&self) -> Option<usize> {
        self.base.opt_len()
    }
}

impl<I: IndexedParallelIterator> IndexedParallelIterator for TryWithToken<I> {
    fn drive<C>(self, consumer: C) -> C::Result
    where
        C: Consumer<Self::Item>,
    {
        let owed = Owed::Exactly(self.len());
        let run = Run::new(self.token, self.every, NAME);
        self.base
            .drive(TryConsumer::new(run.carry(consumer), &run, owed))
    }

    fn len(&self) -> usize {
        self.base.len()
    }

    fn with_producer<CB>(self, callback: CB) -> CB::Output
    where
        CB: ProducerCallback<Self::Item>,
    {
        return self.base.with_producer(Callback {
            callback,
            token: self.token,
        });

        struct Callback<CB> {
            callback: CB,
            token: Token,
        }

        impl<T, CB> ProducerCallback<T> for Callback<CB>
        where
            CB: ProducerCallback<Result<T, CancellationError>>,
        {
            type Output = CB::Output;

            fn callback<P: Producer<Item = T>>(self, base: P) -> Self::Output {
                let run = Run::new(self.token, 1, NAME);
                self.callback.callback(TryProducer::new(base, &run))
            }
        }
    }
}
