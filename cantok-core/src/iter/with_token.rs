use crate::Token;
use std::iter::FusedIterator;

/// An iterator that stops quietly when its token is cancelled. Made by
/// [`IteratorTokenExt::with_token`](crate::IteratorTokenExt::with_token).
#[derive(Clone, Debug)]
#[must_use = "iterator adaptors are lazy and do nothing unless consumed"]
pub struct WithToken<I> {
    base: I,
    token: Token,
    done: bool,
}

impl<I: Iterator> WithToken<I> {
    pub(super) fn new(base: I, token: Token) -> Self {
        WithToken {
            base,
            token,
            done: false,
        }
    }

    fn step(&mut self, advance: impl FnOnce(&mut I) -> Option<I::Item>) -> Option<I::Item> {
        if self.done {
            return None;
        }
        self.done = self.base.size_hint().1 == Some(0) || self.token.is_cancelled();
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
