use super::gate::Gate;
use crate::Token;
use std::iter::FusedIterator;

/// An iterator that stops quietly when its token is cancelled.
/// [`IteratorTokenExt::with_token`](crate::IteratorTokenExt::with_token) makes it.
#[derive(Clone, Debug)]
#[must_use = "iterator adaptors are lazy and do nothing unless consumed"]
pub struct WithToken<I> {
    base: I,
    gate: Gate,
    done: bool,
}

impl<I: Iterator> WithToken<I> {
    pub(super) fn new(base: I, token: Token) -> Self {
        WithToken {
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
    /// let sum: u32 = (0..1_000).with_token(&budget).check_every(64).sum();
    /// assert_eq!(sum, (0..250).sum());
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

    fn step(&mut self, advance: impl FnOnce(&mut I) -> Option<I::Item>) -> Option<I::Item> {
        if self.done {
            return None;
        }
        let (lower, upper) = self.base.size_hint();
        self.done = upper == Some(0) || self.gate.check(lower).is_err();
        if self.done {
            return None;
        }
        let item = advance(&mut self.base);
        self.done = item.is_none();
        item
    }
}

impl<I: Iterator> Iterator for WithToken<I> {
    type Item = I::Item;

    fn next(&mut self) -> Option<I::Item> {
        self.step(I::next)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        if self.done {
            (0, Some(0))
        } else {
            (0, self.base.size_hint().1)
        }
    }
}

impl<I: DoubleEndedIterator> DoubleEndedIterator for WithToken<I> {
    fn next_back(&mut self) -> Option<I::Item> {
        self.step(I::next_back)
    }
}

impl<I: Iterator> FusedIterator for WithToken<I> {}
