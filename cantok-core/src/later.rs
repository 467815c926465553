//! Dropping users' values without recursion. A guard, closure or reason of one token may own the next token, to any
//! depth.

use crate::panic::Panic;
use crate::sync::thread_locals;
use std::any::Any;
use std::cell::{Cell, RefCell};

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
pub(crate) fn drop_nested<T: 'static>(value: T) {
    if let Some(panic) = drop_caught(value) {
        panic.resume();
    }
}

/// [`drop_nested`] that returns the panic.
pub(crate) fn drop_caught<T: 'static>(value: T) -> Option<Panic> {
    let depth = DEPTH.with(Cell::get);
    if depth == AT_ONCE {
        let mut value = Some(value);
        let _ = PENDING.try_with(|pending| {
            let value = value.take().map(|value| Box::new(value) as Box<dyn Any>);
            pending.borrow_mut().extend(value);
        });
        // At the end of a thread the list may be gone; then the value is dropped here.
        return Panic::catch(|| drop(value));
    }
    DEPTH.with(|current| current.set(depth + 1));
    let mut first = Panic::catch(|| drop(value));
    if depth + 1 == AT_ONCE {
        while let Some(value) = next() {
            Panic::keep_first(&mut first, Panic::catch(|| drop(value)));
        }
    }
    DEPTH.with(|current| current.set(depth));
    first
}

fn next() -> Option<Box<dyn Any>> {
    PENDING
        .try_with(|pending| pending.borrow_mut().pop())
        .ok()
        .flatten()
}
