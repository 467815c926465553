use crate::run::Run;
use crate::with_token::WithTokenConsumer;
use cantok_core::Token;
use rayon::iter::ParallelIterator;
use rayon::iter::plumbing::{Consumer, Folder, Reducer, UnindexedConsumer};
use std::thread;

/// A parallel iterator that cancels its token when an item panics, and stops quietly when it is cancelled. Made by
/// [`ParallelIteratorTokenExt::cancel_on_panic`](crate::ParallelIteratorTokenExt::cancel_on_panic).
#[derive(Clone, Debug)]
#[must_use = "iterator adaptors are lazy and do nothing unless consumed"]
pub struct CancelOnPanic<I> {
    base: I,
    token: Token,
}

impl<I> CancelOnPanic<I> {
    pub(crate) fn new(base: I, token: Token) -> Self {
        CancelOnPanic { base, token }
    }
}

impl<I: ParallelIterator> ParallelIterator for CancelOnPanic<I> {
    type Item = I::Item;

    fn drive_unindexed<C>(self, consumer: C) -> C::Result
    where
        C: UnindexedConsumer<Self::Item>,
    {
        let token = self.token.clone();
        Run::of(self.token, "cancel_on_panic", |run| {
            let stopping = WithTokenConsumer::new(consumer, run);
            self.base.drive_unindexed(PanicConsumer {
                base: stopping,
                token: &token,
            })
        })
    }
}

/// Cancels when it is dropped by a panic.
struct OnPanic<'t> {
    token: &'t Token,
    /// The thread was unwinding already: this job is part of what a destructor does.
    unwinding: bool,
}

impl<'t> OnPanic<'t> {
    /// To be dropped on this thread.
    fn new(token: &'t Token) -> Self {
        OnPanic {
            token,
            unwinding: thread::panicking(),
        }
    }
}

impl Drop for OnPanic<'_> {
    #[inline]
    fn drop(&mut self) {
        if thread::panicking() && !self.unwinding {
            self.token.cancel_with("an item panicked");
        }
    }
}

struct PanicConsumer<'t, C> {
    base: C,
    token: &'t Token,
}

impl<'t, T, C: Consumer<T>> Consumer<T> for PanicConsumer<'t, C> {
    type Folder = PanicFolder<'t, C::Folder>;
    type Reducer = PanicReducer<'t, C::Reducer>;
    type Result = C::Result;

    fn split_at(self, index: usize) -> (Self, Self, Self::Reducer) {
        let token = self.token;
        let (left, right, reducer) = self.base.split_at(index);
        (
            PanicConsumer { base: left, token },
            PanicConsumer { base: right, token },
            PanicReducer {
                base: reducer,
                token,
            },
        )
    }

    fn into_folder(self) -> Self::Folder {
        PanicFolder {
            base: self.base.into_folder(),
            on_panic: OnPanic::new(self.token),
        }
    }

    fn full(&self) -> bool {
        self.base.full()
    }
}

impl<'t, T, C: UnindexedConsumer<T>> UnindexedConsumer<T> for PanicConsumer<'t, C> {
    fn split_off_left(&self) -> Self {
        PanicConsumer {
            base: self.base.split_off_left(),
            token: self.token,
        }
    }

    fn to_reducer(&self) -> Self::Reducer {
        PanicReducer {
            base: self.base.to_reducer(),
            token: self.token,
        }
    }
}

struct PanicFolder<'t, F> {
    base: F,
    on_panic: OnPanic<'t>,
}

impl<T, F: Folder<T>> Folder<T> for PanicFolder<'_, F> {
    type Result = F::Result;

    fn consume(mut self, item: T) -> Self {
        self.base = self.base.consume(item);
        self
    }

    fn consume_iter<I>(mut self, iter: I) -> Self
    where
        I: IntoIterator<Item = T>,
    {
        self.base = self.base.consume_iter(iter);
        self
    }

    fn complete(self) -> Self::Result {
        let _on_panic = self.on_panic;
        self.base.complete()
    }

    fn full(&self) -> bool {
        self.base.full()
    }
}

struct PanicReducer<'t, R> {
    base: R,
    token: &'t Token,
}

impl<R: Reducer<T>, T> Reducer<T> for PanicReducer<'_, R> {
    fn reduce(self, left: T, right: T) -> T {
        let _on_panic = OnPanic::new(self.token);
        self.base.reduce(left, right)
    }
}
