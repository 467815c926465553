use crate::{TryWithToken, WithToken};
use rayon::iter::ParallelIterator;

/// `check_every` where the base is not indexed, as after `filter` or `flat_map`.
///
/// Where it is, the compiler takes the method of the same name of [`WithToken`](WithToken::check_every) or
/// [`TryWithToken`](TryWithToken::check_every), which is faster.
pub trait UnindexedTokenExt: Sized {
    /// Checks the token once for each `items` items of a part into which rayon has split the work: after the cancel at
    /// most that many more pass on each thread. A token without conditions and counters is still checked for each item,
    /// since that costs no more than to count them.
    ///
    /// Units of a counter are taken for no more items than are sure to come, so exactly as many items pass as there are
    /// units. Where the number is unknown, as after `filter`, they are taken one by one.
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
