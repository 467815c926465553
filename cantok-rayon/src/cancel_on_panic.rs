use crate::run::Run;
use crate::with_token::WithTokenConsumer;
use cantok_core::Token;
use rayon::iter::ParallelIterator;
use rayon::iter::plumbing::{Consumer, Folder, Reducer, UnindexedConsumer};
use std::cell::Cell;
use std::thread;

/// A parallel iterator that cancels its token when an item panics, and stops quietly when the token is cancelled. Made
/// by [`ParallelIteratorTokenExt::cancel_on_panic`](crate::ParallelIteratorTokenExt::cancel_on_panic).
///
/// Not indexed: put `enumerate`, `zip`, `chunks` and the like before it.
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
        // For panics outside of every part of the consumer.
        let on_panic = OnPanic::new(&self.token);
        let run = Run::new(self.token.clone(), 1, "cancel_on_panic");
        let stopping = WithTokenConsumer::new(run.carry(consumer), &run);
        let result = self
            .base
            .drive_unindexed(PanicConsumer::new(stopping, &self.token));
        on_panic.disarm();
        result
    }
}

/// Cancels the token if a panic drops this while it is armed.
///
/// A panicking thread alone proves nothing: a destructor may run a whole job while its thread unwinds, and steal parts
/// of other jobs.
struct OnPanic<'t> {
    token: &'t Token,
    is_armed: Cell<bool>,
}

impl<'t> OnPanic<'t> {
    /// Armed until a later [`OnPanic::disarm`].
    fn new(token: &'t Token) -> Self {
        OnPanic {
            token,
            is_armed: Cell::new(true),
        }
    }

    fn arm(&self) {
        self.is_armed.set(true);
    }

    /// Arms unless this thread is already unwinding. For values that rayon may drop without completing them. (A panic
    /// that is missed on such a thread cancels when the run ends.)
    fn arm_unless_panicking(&self) {
        self.is_armed.set(!thread::panicking());
    }

    fn disarm(self) {
        self.is_armed.set(false);
    }
}

impl Drop for OnPanic<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.is_armed.get() && thread::panicking() {
            self.token.cancel_with("an item panicked");
        }
    }
}

/// Rayon may drop a consumer unused, or split it. The folder of a base like `flat_map` keeps it until its items end,
/// and calls `full` on another thread.
struct PanicConsumer<'t, C> {
    base: C,
    on_panic: OnPanic<'t>,
}

impl<'t, C> PanicConsumer<'t, C> {
    fn new(base: C, token: &'t Token) -> Self {
        let on_panic = OnPanic::new(token);
        on_panic.arm_unless_panicking();
        PanicConsumer { base, on_panic }
    }
}

impl<'t, T, C: Consumer<T>> Consumer<T> for PanicConsumer<'t, C> {
    type Folder = PanicFolder<'t, C::Folder>;
    type Reducer = PanicReducer<'t, C::Reducer>;
    type Result = C::Result;

    fn split_at(self, index: usize) -> (Self, Self, Self::Reducer) {
        let PanicConsumer { base, on_panic } = self;
        on_panic.arm();
        let token = on_panic.token;
        let (left, right, base) = base.split_at(index);
        on_panic.disarm();
        (
            PanicConsumer::new(left, token),
            PanicConsumer::new(right, token),
            PanicReducer { base, token },
        )
    }

    fn into_folder(self) -> Self::Folder {
        let PanicConsumer { base, on_panic } = self;
        on_panic.arm();
        let base = base.into_folder();
        PanicFolder { base, on_panic }
    }

    fn full(&self) -> bool {
        self.on_panic.arm_unless_panicking();
        self.base.full()
    }
}

impl<'t, T, C: UnindexedConsumer<T>> UnindexedConsumer<T> for PanicConsumer<'t, C> {
    fn split_off_left(&self) -> Self {
        self.on_panic.arm_unless_panicking();
        PanicConsumer::new(self.base.split_off_left(), self.on_panic.token)
    }

    fn to_reducer(&self) -> Self::Reducer {
        PanicReducer {
            base: self.base.to_reducer(),
            token: self.on_panic.token,
        }
    }
}

/// Rayon completes a folder unless it panics.
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
        let result = self.base.complete();
        self.on_panic.disarm();
        result
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
        let on_panic = OnPanic::new(self.token);
        let result = self.base.reduce(left, right);
        on_panic.disarm();
        result
    }
}
