//! Panics of user code, held back until other user code has run.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread;

pub(crate) struct Panic(Box<dyn Any + Send>);

impl Panic {
    pub(crate) fn catch(f: impl FnOnce()) -> Option<Self> {
        let mut f = Some(f);
        Panic::catch_dyn(&mut || {
            if let Some(f) = f.take() {
                f();
            }
        })
    }

    /// [`Panic::catch`] of a drop, once for each type and not once for each place.
    pub(crate) fn catch_drop<T>(value: T) -> Option<Self> {
        Panic::catch(|| drop(value))
    }

    /// [`Panic::catch`], once in the program and not once for each closure.
    #[inline(never)]
    pub(crate) fn catch_dyn(f: &mut dyn FnMut()) -> Option<Self> {
        // User code cannot leave tokens half changed. The closure's author sees the panic resumed, as if it had not
        // been caught.
        catch_unwind(AssertUnwindSafe(f)).err().map(Panic)
    }

    /// Passes each item to `f`, even if that panics for some of them. Keeps the first panic.
    pub(crate) fn catch_each<T>(first: &mut Option<Panic>, items: Vec<T>, f: fn(T)) {
        let mut items = items.into_iter();
        while items.len() > 0 {
            let mut all = || {
                for item in items.by_ref() {
                    f(item);
                }
            };
            Panic::keep_first(first, Panic::catch_dyn(&mut all));
        }
    }

    /// Keeps the first panic. The payload of another one is dropped; a panic of that drop is swallowed.
    pub(crate) fn keep_first(first: &mut Option<Panic>, next: Option<Panic>) {
        match next {
            Some(panic) if first.is_some() => panic.swallow(),
            Some(panic) => *first = Some(panic),
            None => {}
        }
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn swallow(self) {
        if let Some(Panic(payload)) = Panic::catch_drop(self) {
            // Leaked: dropping this payload could panic with yet another one.
            std::mem::forget(payload);
        }
    }

    /// Resumes the panic, unless this thread is already unwinding.
    pub(crate) fn resume(self) {
        if thread::panicking() {
            self.swallow();
        } else {
            resume_unwind(self.0);
        }
    }
}
