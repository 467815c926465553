//! Dropping what belongs to users without recursion, since what they give to one token may own the next one, to any
//! depth: attached guards, closures, reasons.

use crate::panic::Panic;
use crate::sync::thread_locals;
use std::any::Any;
use std::cell::{Cell, RefCell};

/// So deep values are dropped at once, as everybody expects who drops something. What lies deeper waits until the
/// value at this depth is gone.
const AT_ONCE: usize = 16;

thread_locals! {
    /// How many values this thread is dropping, one within the other.
    static DEPTH: Cell<usize> = Cell::new(0);
    /// What is to be dropped after the value at depth `AT_ONCE`.
    static PENDING: RefCell<Vec<Box<dyn Any>>> = RefCell::new(Vec::new());
}

/// Drops a value that may own more of its kind.
pub(crate) fn drop_nested<T: 'static>(value: T) {
    if let Some(panic) = drop_caught(value) {
        panic.resume();
    }
}

/// [`drop_nested`], with the panic.
pub(crate) fn drop_caught<T: 'static>(value: T) -> Option<Panic> {
    let depth = DEPTH.with(Cell::get);
    if depth == AT_ONCE {
        let mut value = Some(value);
        let _ = PENDING.try_with(|pending| {
            let value = value.take().map(|value| Box::new(value) as Box<dyn Any>);
            pending.borrow_mut().extend(value);
        });
        // At the end of a thread the list may be gone, and the value is dropped here.
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
