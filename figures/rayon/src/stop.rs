//! What can stop a parallel iterator, each as a way to wrap it.

use cantok_core::Token;
use cantok_rayon::prelude::*;
use rayon::prelude::*;
use rayon_cancel::CancelAdapter;

/// A contender. Monomorphic, so that each is compiled as in a program that has no other.
pub(crate) trait Stop: Sync {
    fn on<I: IndexedParallelIterator>(&self, items: I) -> impl ParallelIterator<Item = I::Item>;
}

pub(crate) struct Plain;

impl Stop for Plain {
    fn on<I: IndexedParallelIterator>(&self, items: I) -> impl ParallelIterator<Item = I::Item> {
        items
    }
}

pub(crate) struct PanicFuse;

impl Stop for PanicFuse {
    fn on<I: IndexedParallelIterator>(&self, items: I) -> impl ParallelIterator<Item = I::Item> {
        items.panic_fuse()
    }
}

/// Plain rayon once more: the same work in code of its own, which lies elsewhere.
pub(crate) struct PlainElsewhere;

impl Stop for PlainElsewhere {
    fn on<I: IndexedParallelIterator>(&self, items: I) -> impl ParallelIterator<Item = I::Item> {
        items.map(|item| item)
    }
}

/// `panic_fuse` once more, elsewhere.
pub(crate) struct PanicFuseElsewhere;

impl Stop for PanicFuseElsewhere {
    fn on<I: IndexedParallelIterator>(&self, items: I) -> impl ParallelIterator<Item = I::Item> {
        items.map(|item| item).panic_fuse()
    }
}

pub(crate) struct WithToken<'t>(pub(crate) &'t Token);

impl Stop for WithToken<'_> {
    fn on<I: IndexedParallelIterator>(&self, items: I) -> impl ParallelIterator<Item = I::Item> {
        items.with_token(self.0)
    }
}

pub(crate) struct RayonCancel;

impl Stop for RayonCancel {
    fn on<I: IndexedParallelIterator>(&self, items: I) -> impl ParallelIterator<Item = I::Item> {
        CancelAdapter::new(items)
    }
}

pub(crate) struct CheckEvery<'t>(pub(crate) usize, pub(crate) &'t Token);

impl Stop for CheckEvery<'_> {
    fn on<I: IndexedParallelIterator>(&self, items: I) -> impl ParallelIterator<Item = I::Item> {
        items.with_token(self.1).check_every(self.0)
    }
}
