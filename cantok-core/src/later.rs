//! Dropping users' values without recursion. A guard, closure or reason of one token may own the next token, to any
//! depth.

use crate::panic::Panic;
use crate::sync::{get_local, set_local, thread_locals};
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::thread;

/// Up to this depth a value is dropped at once, as users expect. A deeper one waits until the value at this depth is
/// gone.
const AT_ONCE: usize = 16;

thread_locals! {
    /// How many nested drops this thread is in.
    static DEPTH: Cell<usize> = Cell::new(0);
    /// What to drop after the value at depth `AT_ONCE`.
    static PENDING: RefCell<Vec<Box<dyn Any>>> = RefCell::new(Vec::new());
}

/// Drops a value that may own more of its kind.
#[inline]
pub(crate) fn drop_nested<T: 'static>(value: T) {
    // A panic while this thread is already unwinding must be caught, or it aborts the process.
    if depth() < AT_ONCE - 1 && !thread::panicking() {
        let _nested = Nested::begin();
        drop(value);
    } else {
        drop_boxed(value);
    }
}

/// [`drop_nested`] that catches a panic. Boxes the value, so that the rest is compiled once.
#[cold]
#[inline(never)]
fn drop_boxed<T: 'static>(value: T) {
    if let Some(panic) = drop_caught::<Box<dyn Any>>(Box::new(value)) {
        panic.resume();
    }
}

/// [`drop_nested`] that returns the panic.
pub(crate) fn drop_caught<T: 'static>(value: T) -> Option<Panic> {
    if depth() >= AT_ONCE {
        return postpone(Box::new(value));
    }
    let _nested = Nested::begin();
    drop_pending(Panic::catch_drop(value))
}

#[inline]
fn depth() -> usize {
    get_local(&DEPTH)
}

/// One more nested drop, until this is dropped.
struct Nested;

impl Nested {
    #[inline]
    fn begin() -> Self {
        set_local(&DEPTH, depth() + 1);
        Nested
    }
}

impl Drop for Nested {
    #[inline]
    fn drop(&mut self) {
        set_local(&DEPTH, depth() - 1);
    }
}

/// Drops what had to wait for the value just dropped. Returns the first panic: that value's, or one from here.
fn drop_pending(mut first: Option<Panic>) -> Option<Panic> {
    if depth() == AT_ONCE {
        while let Some(value) = next() {
            Panic::keep_first(&mut first, Panic::catch_drop(value));
        }
    }
    first
}

fn postpone(value: Box<dyn Any>) -> Option<Panic> {
    let mut value = Some(value);
    let _ = PENDING.try_with(|pending| {
        if let Some(value) = value.take() {
            pending.borrow_mut().push(value);
        }
    });
    // At the end of a thread the list may be gone; then the value is dropped here.
    value.and_then(Panic::catch_drop)
}

fn next() -> Option<Box<dyn Any>> {
    PENDING
        .try_with(|pending| pending.borrow_mut().pop())
        .ok()
        .flatten()
}
