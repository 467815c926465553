use crate::{CancelOnPanic, TryWithToken, WithToken};
use cantok_core::Token;
use rayon::iter::ParallelIterator;

/// `with_token`, `try_with_token` and `cancel_on_panic` for every parallel iterator.
pub trait ParallelIteratorTokenExt: ParallelIterator {
    /// Stops quietly when the token is cancelled: a stopped iterator looks finished, and what it returns may be a part
    /// of the result. Ask [`Token::cancellation`] afterwards: if there is none, it is everything. Or use
    /// [`try_with_token`](ParallelIteratorTokenExt::try_with_token), whose partial results do not pass for complete
    /// ones.
    ///
    /// # Guarantees
    ///
    /// Nothing that comes after this adapter is started once the token is cancelled; items under way are finished. Of
    /// the work that comes before it, each thread of the pool may start one more item of this adapter:
    /// `map(f).with_token(t)` has run `f` when the token is asked, `with_token(t).map(f)` has not. (Items that a
    /// `skip(n)` before this adapter skips are run on the side, and nobody can stop those.)
    ///
    /// There is one check for each item that arrives here, and none besides, so that a
    /// [`CounterToken`](cantok_core::CounterToken) of `n` units lets exactly `n` items pass, on any number of threads.
    /// Which items these are depends on how rayon has distributed the work. With a counter of as many units as there
    /// are items all pass, and nobody is refused. A condition is not called while no item arrives, as after a `filter`
    /// that lets nothing through; flags and deadlines stop that too.
    ///
    /// A check costs one load, which shows where an item takes less than a nanosecond:
    /// [`check_every`](WithToken::check_every) then checks once for many items.
    ///
    /// The number of items is not known in advance any more, so this is not an
    /// [`IndexedParallelIterator`](rayon::iter::IndexedParallelIterator): `enumerate`, `zip` and their like come before
    /// it.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::{CancellationError, CounterToken};
    /// use cantok_rayon::prelude::*;
    /// use rayon::prelude::*;
    ///
    /// let budget = CounterToken::new(100);
    /// let sum: u32 = (1..1_001_u32).into_par_iter().with_token(&budget).sum();
    /// assert!(sum < 500_500);
    /// assert!(budget.cancellation().is_some()); // perhaps not everything
    ///
    /// let budget = CounterToken::new(100);
    /// let sum: Result<u32, CancellationError> =
    ///     (1..1_001_u32).into_par_iter().try_with_token(&budget).sum();
    /// assert_eq!(sum.unwrap_err().to_string(), "the counter of 100 checks is used up");
    /// ```
    ///
    /// # Panics
    ///
    /// When run, with the panic of a check (see [`Token::is_cancelled`]): it propagates like that of an item.
    fn with_token(self, token: impl Into<Token>) -> WithToken<Self> {
        WithToken::new(self, token.into())
    }

    /// Yields `Ok(item)` until the token is cancelled and errors with the cause in place of what is left out: a partial
    /// result cannot pass for a complete one.
    ///
    /// Made for what stops at an error: [`collect_vec`](TryWithToken::collect_vec), `collect::<Result<_, _>>()`, `sum` and `product` into a `Result`,
    /// `try_for_each`, `try_reduce`, `try_fold`. Whatever goes on (`for_each`, `count`, `filter_map(Result::ok)`,
    /// `find_any` of an item) is given an error for each item that is left, which over a long range takes longer than
    /// it would have taken to do the work; for those take [`with_token`](ParallelIteratorTokenExt::with_token).
    ///
    /// # Guarantees
    ///
    /// Where the length is known it stays what it was, and so does the order: there is one result for each item, and an
    /// error for each that was left out. So this is an
    /// [`IndexedParallelIterator`](rayon::iter::IndexedParallelIterator) where its base is, for `enumerate`, `zip`,
    /// `collect_into_vec` and their like. Where the length is not known, each of the parts into which rayon has split
    /// the work ends with an error at its place if something of it was left out. An adapter that drops results unseen,
    /// like `skip_any`, drops errors too: put it before this one. What a `with_token` before this one has dropped is
    /// not missed here.
    ///
    /// There is one check for each item, and none besides. After the cancel no work of the base is started where rayon
    /// pulls items from it, but for one item for each thread and, where the length is not known, for each part. A base
    /// that pushes its items runs on until one of them arrives here: **`filter(p).try_with_token(t)` searches on while
    /// `p` holds for nothing**, and if nothing is left it ends with `Ok`, as nothing was left out. `flat_map` makes a
    /// part at least of every iterator, and makes them all if nothing stops at the first error. So put this before
    /// `filter`, `flat_map` and expensive work.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::{CancellationError, CounterToken, SimpleToken};
    /// use cantok_rayon::prelude::*;
    /// use rayon::prelude::*;
    ///
    /// let squares: Result<Vec<u32>, CancellationError> = (1..1_001_u32)
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
    ///
    /// # Panics
    ///
    /// As [`with_token`](ParallelIteratorTokenExt::with_token).
    fn try_with_token(self, token: impl Into<Token>) -> TryWithToken<Self> {
        TryWithToken::new(self, token.into())
    }

    /// Cancels the token when an item panics, so that everything under that token stops, and stops quietly itself when
    /// the token is cancelled, like [`with_token`](ParallelIteratorTokenExt::with_token), whose guarantees it has. The
    /// panic still reaches the caller.
    ///
    /// Rayon alone passes a panic on only when all other threads have finished their parts of the iterator. Here they
    /// stop after the item that they are at, whether the panic comes from work before or after this adapter; only a
    /// panic in what a `skip(n)` before it skips is noticed when all else has ended. The token's cause is then a
    /// [reason](cantok_core::Cause::Reason), "an item panicked".
    ///
    /// It is this token that is cancelled, and whatever derives from it: hand in the token itself rather than a sum
    /// that nobody else has.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::SimpleToken;
    /// use cantok_rayon::prelude::*;
    /// use rayon::prelude::*;
    /// use std::panic;
    ///
    /// let token = SimpleToken::new();
    /// let result = panic::catch_unwind(|| {
    ///     (1..1_000_001_u32)
    ///         .into_par_iter()
    ///         .cancel_on_panic(&token)
    ///         .for_each(|number| assert_ne!(number, 1_000, "this one"));
    /// });
    /// assert!(result.is_err());
    /// assert_eq!(token.cancellation().unwrap().to_string(), "cancelled: an item panicked");
    /// ```
    ///
    /// # Panics
    ///
    /// When run, with the panic of an item or of a check.
    fn cancel_on_panic(self, token: impl Into<Token>) -> CancelOnPanic<Self> {
        CancelOnPanic::new(self, token.into())
    }
}

impl<I: ParallelIterator> ParallelIteratorTokenExt for I {}
