use super::gate::Gate;
use crate::{CancellationError, Token};
use std::iter::FusedIterator;

/// An iterator that yields one error and then nothing when its token is cancelled.
/// [`IteratorTokenExt::try_with_token`](crate::IteratorTokenExt::try_with_token) makes it.
#[derive(Clone, Debug)]
#[must_use = "iterator adaptors are lazy and do nothing unless consumed"]
pub struct TryWithToken<I> {
    base: I,
    gate: Gate,
    done: bool,
}

impl<I: Iterator> TryWithToken<I> {
    pub(super) fn new(base: I, token: Token) -> Self {
        TryWithToken {
            base,
            gate: Gate::new(token),
            done: false,
        }
    }

    /// Checks the token once for every `items` items. After a cancel at most `items` more items pass.
    ///
    /// Conditions are called once for that many items. Units of a counter are taken that many at a time, but no more
    /// than the lower bound of `size_hint`. Units that are left count as spent until the iterator is dropped, which
    /// gives them back.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::CounterToken;
    /// use cantok_core::prelude::*;
    ///
    /// let budget = CounterToken::new(250);
    /// let results = (0..1_000).try_with_token(&budget).check_every(64);
    /// assert_eq!(results.filter(Result::is_ok).count(), 250);
    /// ```
    ///
    /// # Panics
    ///
    /// If `items` is 0, like [`Iterator::step_by`].
    #[track_caller]
    pub fn check_every(mut self, items: usize) -> Self {
        self.gate.set_every(items);
        self
    }

    fn step(
        &mut self,
        advance: impl FnOnce(&mut I) -> Option<I::Item>,
    ) -> Option<Result<I::Item, CancellationError>> {
        let (lower, upper) = self.base.size_hint();
        if self.done || upper == Some(0) {
            self.done = true;
            return None;
        }
        if let Err(error) = self.gate.check(lower) {
            self.done = true;
            return Some(Err(error));
        }
        let item = advance(&mut self.base);
        self.done = item.is_none();
        item.map(Ok)
    }
}

impl<I: Iterator> Iterator for TryWithToken<I> {
    type Item = Result<I::Item, CancellationError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.step(I::next)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        if self.done {
            return (0, Some(0));
        }
        // An error may stand for any number of items.
        let (lower, upper) = self.base.size_hint();
        (lower.min(1), upper)
    }
}

impl<I: DoubleEndedIterator> DoubleEndedIterator for TryWithToken<I> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.step(I::next_back)
    }
}

impl<I: Iterator> FusedIterator for TryWithToken<I> {}
