//! Dropping what belongs to users with a loop instead of recursion, since what they give to one token may own the
//! next one, to any depth: attached guards, closures, reasons.

use crate::callback::Panic;
use std::any::Any;
use std::cell::RefCell;

thread_local! {
    /// What is to be dropped after the value that this thread is dropping now; `None` if it is not dropping any.
    static PENDING: RefCell<Option<Vec<Box<dyn Any>>>> = const { RefCell::new(None) };
}

/// Drops the value, now or, called from the drop of another one, soon after that. Each value is dropped whatever the
/// others do; the first panic is resumed in the end.
pub(crate) fn drop_later<T: Any>(value: T) {
    let mut value = Some(value);
    let is_outermost = PENDING.try_with(|pending| {
        let mut pending = pending.borrow_mut();
        if let Some(pending) = &mut *pending {
            pending.extend(value.take().map(|value| Box::new(value) as Box<dyn Any>));
            return false;
        }
        *pending = Some(Vec::new());
        true
    });
    match is_outermost {
        Ok(true) => {}
        Ok(false) => return,
        // At the end of a thread the list may be gone.
        Err(_) => return drop(value),
    }
    let mut panic = Panic::catch(|| drop(value));
    loop {
        let next = PENDING.with_borrow_mut(|pending| {
            let next = pending.as_mut().and_then(Vec::pop);
            if next.is_none() {
                *pending = None;
            }
            next
        });
        match next {
            Some(value) => Panic::keep_first(&mut panic, Panic::catch(|| drop(value))),
            None => break,
        }
    }
    if let Some(panic) = panic {
        panic.resume();
    }
}
