use crate::{CancelOnPanic, TryWithToken, WithToken};
use cantok_core::Token;
use rayon::iter::ParallelIterator;

/// `with_token`, `try_with_token` and `cancel_on_panic` for every parallel iterator.
pub trait ParallelIteratorTokenExt: ParallelIterator {
    /// Stops quietly when the token is cancelled: a stopped iterator looks finished, and what it returns may be a part of
    /// the result. To tell the difference ask [`Token::cause`] afterwards, or use
    /// [`try_with_token`](ParallelIteratorTokenExt::try_with_token), whose partial results do not pass for complete ones.
    ///
    /// ```
    /// use cantok_core::{CancellationError, CounterToken};
    /// use cantok_rayon::prelude::*;
    /// use rayon::prelude::*;
    ///
    /// let budget = CounterToken::new(100);
    /// let sum: u64 = (1..=1_000_u64).into_par_iter().with_token(&budget).sum();
    /// assert!(sum < 500_500);
    /// assert!(budget.cause().is_some()); // not everything: the token stopped it
    ///
    /// let budget = CounterToken::new(100);
    /// let sum: Result<u64, CancellationError> =
    ///     (1..=1_000_u64).into_par_iter().try_with_token(&budget).sum();
    /// assert_eq!(sum.unwrap_err().to_string(), "the counter of 100 checks is used up");
    /// ```
    ///
    /// # Guarantees
    ///
    /// Nothing that comes after this adapter is started once the token is cancelled; items under way are finished. Of
    /// the work that comes before it, each thread of the pool may start one more item: `map(f).with_token(t)` has run
    /// `f` when the token is asked, `with_token(t).map(f)` has not.
    ///
    /// There is one check for each item that arrives here, and none besides, so that a
    /// [`CounterToken`](cantok_core::CounterToken) of `n` units lets exactly `n` items pass, on any number of threads.
    /// Which items these are depends on how rayon has distributed the work. With a counter of as many units as there are
    /// items all pass, and nobody is refused.
    ///
    /// The number of items is not known in advance any more, so this is not an
    /// [`IndexedParallelIterator`](rayon::iter::IndexedParallelIterator): `enumerate`, `zip`, `chunks` and their like
    /// come before it.
    ///
    /// # Panics
    ///
    /// When run, with the panic of a check (see [`Token::is_cancelled`]): it propagates like that of an item.
    fn with_token(self, token: impl Into<Token>) -> WithToken<Self> {
        WithToken::new(self, token.into())
    }

    /// Yields `Ok(item)` until the token is cancelled and errors with the cause from then on: a partial result cannot
    /// pass for a complete one.
    ///
    /// What consumes results stops at the first error: `collect::<Result<_, _>>()`, `sum` and `product` into a `Result`,
    /// `try_for_each`, `try_reduce`, `try_fold`.
    ///
    /// # Guarantees
    ///
    /// Where the length is known it stays what it was, and so does the order: there is one result for each item, and an
    /// error for each that was left out. So this is an
    /// [`IndexedParallelIterator`](rayon::iter::IndexedParallelIterator) where its base is, for `enumerate`, `zip`,
    /// `collect_into_vec` and their like. Where it is not known there is at least one error if anything was left out.
    ///
    /// There is one check for each item, and none besides. After the cancel no work of the base is started where rayon
    /// pulls items from it, except for one item for each thread; a base that pushes its items, like `filter`, runs
    /// on until rayon or the consumer of the first error stops it. When in doubt put this before expensive work.
    ///
    /// # Panics
    ///
    /// As [`with_token`](ParallelIteratorTokenExt::with_token).
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::{CancellationError, CounterToken, SimpleToken};
    /// use cantok_rayon::prelude::*;
    /// use rayon::prelude::*;
    ///
    /// let squares: Result<Vec<u64>, CancellationError> = (1..=1_000_u64)
    ///     .into_par_iter()
    ///     .try_with_token(SimpleToken::new())
    ///     .map(|number| number.map(|number| number * number))
    ///     .collect();
    /// assert_eq!(squares.unwrap().len(), 1_000);
    ///
    /// // Still indexed: what was done and what was not, each at its place.
    /// let results: Vec<_> = (0..1_000_u32)
    ///     .into_par_iter()
    ///     .try_with_token(CounterToken::new(100))
    ///     .enumerate()
    ///     .collect();
    /// assert_eq!(results.len(), 1_000);
    /// assert_eq!(results.iter().filter(|(_, result)| result.is_ok()).count(), 100);
    /// ```
    fn try_with_token(self, token: impl Into<Token>) -> TryWithToken<Self> {
        TryWithToken::new(self, token.into())
    }

    /// Cancels the token when an item panics, so that everything under that token stops, and stops quietly itself when
    /// the token is cancelled, like [`with_token`](ParallelIteratorTokenExt::with_token), whose guarantees it has. The
    /// panic still reaches the caller.
    ///
    /// Rayon alone finishes what other threads have in hand before it passes a panic on, which is for them all that
    /// was left of their parts. It does not matter whether the panic comes from work before or after this adapter.
    /// The token's cause is then a [reason](cantok_core::Cause::Reason), "an item panicked".
    ///
    /// # Panics
    ///
    /// As [`with_token`](ParallelIteratorTokenExt::with_token).
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::SimpleToken;
    /// use cantok_rayon::prelude::*;
    /// use rayon::prelude::*;
    /// use std::error::Error;
    /// use std::panic;
    ///
    /// let token = SimpleToken::new();
    /// let result = panic::catch_unwind(|| {
    ///     (1..=1_000_000_u64)
    ///         .into_par_iter()
    ///         .cancel_on_panic(&token)
    ///         .for_each(|number| assert_ne!(number, 1_000, "this one"));
    /// });
    /// assert!(result.is_err());
    /// assert_eq!(token.cause().unwrap().source().unwrap().to_string(), "an item panicked");
    /// ```
    fn cancel_on_panic(self, token: impl Into<Token>) -> CancelOnPanic<Self> {
        CancelOnPanic::new(self, token.into())
    }
}

impl<I: ParallelIterator> ParallelIteratorTokenExt for I {}
