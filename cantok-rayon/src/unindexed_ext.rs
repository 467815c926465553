use crate::{TryWithToken, WithToken};
use rayon::iter::ParallelIterator;

/// Adds `check_every` to adapters whose base is not indexed, as after `filter` or `flat_map`.
///
/// If the base is indexed, the compiler selects the faster method of the same name of
/// [`WithToken`](WithToken::check_every) or [`TryWithToken`](TryWithToken::check_every).
pub trait UnindexedTokenExt: Sized {
    /// Checks the token once for each `items` items of a part into which rayon has split the work.
    ///
    /// # Guarantees
    ///
    /// - After the cancel at most `items` more items pass on each thread. A token without conditions and counters is
    ///   still checked for each item, since counting them would cost as much.
    /// - Exactly as many items pass as a counter has units: a check takes no more units than there are sure to be
    ///   items. If their number is unknown, as after `filter`, it takes them one by one.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::CounterToken;
    /// use cantok_rayon::prelude::*;
    /// use rayon::prelude::*;
    ///
    /// let budget = CounterToken::new(100);
    /// let even = (0..1_000).into_par_iter().filter(|number| number % 2 == 0);
    /// assert_eq!(even.with_token(&budget).check_every(64).count(), 100);
    /// ```
    ///
    /// # Panics
    ///
    /// If `items` is 0.
    #[must_use]
    #[track_caller]
    fn check_every(self, items: usize) -> Self;
}

impl<I: ParallelIterator> UnindexedTokenExt for WithToken<I> {
    fn check_every(mut self, items: usize) -> Self {
        assert!(items > 0, "a check for every 0 items");
        self.every = items;
        self
    }
}

impl<I: ParallelIterator> UnindexedTokenExt for TryWithToken<I> {
    fn check_every(mut self, items: usize) -> Self {
        assert!(items > 0, "a check for every 0 items");
        self.every = items;
        self
    }
}
