use crate::{CancellationError, Token};
use std::iter::FusedIterator;

/// An iterator that yields one error and then nothing when its token is cancelled. Made by
/// [`IteratorTokenExt::try_with_token`](crate::IteratorTokenExt::try_with_token).
#[derive(Clone, Debug)]
#[must_use = "iterator adaptors are lazy and do nothing unless consumed"]
pub struct TryWithToken<I> {
    base: I,
    token: Token,
    done: bool,
}

impl<I: Iterator> TryWithToken<I> {
    pub(super) fn new(base: I, token: Token) -> Self {
        TryWithToken {
            base,
            token,
            done: false,
        }
    }

    fn step(
        &mut self,
        advance: impl FnOnce(&mut I) -> Option<I::Item>,
    ) -> Option<Result<I::Item, CancellationError>> {
        if self.done || self.base.size_hint().1 == Some(0) {
            self.done = true;
            return None;
        }
        if let Err(error) = self.token.check() {
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
