use crate::{TryWithToken, WithToken};
use rayon::iter::ParallelIterator;

/// `check_every` where the base is not indexed, as after `filter` or `flat_map`.
///
/// Where it is, the method of the same name of [`WithToken`](WithToken::check_every) and
/// [`TryWithToken`](TryWithToken::check_every) comes first, which is the faster one.
pub trait UnindexedTokenExt: Sized {
    /// One check for each `items` items of a part into which rayon has split the work. Conditions are called once for
    /// that many items; flags and deadlines are still checked for each item.
    ///
    /// Units of a counter are taken as many at a time, but no more than items are sure to come. So they are taken one
    /// by one where the number of items is unknown, and exactly as many items pass as there are units.
    ///
    /// # Panics
    ///
    /// If `items` is 0.
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
