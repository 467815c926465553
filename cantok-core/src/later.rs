//! Dropping what belongs to users with a loop instead of recursion, since what they give to one token may own the
//! next one, to any depth: attached guards, closures, reasons.

use crate::callback::Panic;
use std::any::Any;
use std::cell::RefCell;

/// Values that have been collected to be dropped.
pub(crate) type Values = Vec<Box<dyn Any>>;

thread_local! {
    /// What is to be dropped after the value that this thread is dropping now; `None` if it is not dropping any.
    static PENDING: RefCell<Option<Values>> = const { RefCell::new(None) };
}

/// Drops the values, now or, called from the drop of another one, soon after that. Each is dropped whatever the others
/// do; the first panic is resumed in the end.
pub(crate) fn drop_later(values: Values) {
    if values.is_empty() {
        return;
    }
    let mut values = Some(values);
    let is_outermost = PENDING.try_with(|pending| match &mut *pending.borrow_mut() {
        Some(pending) => {
            pending.extend(values.take().into_iter().flatten());
            false
        }
        none => {
            *none = values.take();
            true
        }
    });
    if is_outermost != Ok(true) {
        // Nested; or, at the end of a thread, the list is gone and the values are dropped here.
        return drop(values);
    }
    let mut panic = None;
    while let Some(value) = next() {
        Panic::keep_first(&mut panic, Panic::catch(|| drop(value)));
    }
    if let Some(panic) = panic {
        panic.resume();
    }
}

/// The next value; the list is closed with the last one.
fn next() -> Option<Box<dyn Any>> {
    PENDING.with_borrow_mut(|pending| {
        let next = pending.as_mut().and_then(Vec::pop);
        if next.is_none() {
            *pending = None;
        }
        next
    })
}
