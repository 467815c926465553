//! The source of all atomics and locks of this crate: the standard library, or loom's models of it under
//! `cfg(cantok_loom)`, which `models/build.rs` sets.

use std::cell::Cell;

#[cfg(not(cantok_loom))]
mod imp {
    pub(crate) use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, fence};
    pub(crate) use std::sync::{Condvar, Mutex, MutexGuard, OnceLock};
    pub(crate) use std::thread::LocalKey;

    use std::sync::{PoisonError, TryLockError};
    use std::time::Duration;

    /// Distinguishes threads that live at the same time. Cheaper than `ThreadId`.
    #[derive(Clone, Copy, PartialEq, Eq)]
    pub(crate) struct ThreadKey(usize);

    impl ThreadKey {
        pub(crate) fn current() -> Self {
            std::thread_local! {
                static KEY: u8 = const { 0 };
            }
            KEY.with(|key| ThreadKey(std::ptr::from_ref(key).addr()))
        }
    }

    /// Locks. A poisoned lock is taken too, because no user code ever runs under a lock of ours.
    pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
        mutex.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Locks, unless another thread holds the lock.
    pub(crate) fn try_lock<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
        match mutex.try_lock() {
            Ok(locked) => Some(locked),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// Returns what the mutex guards, without locking: there is no other reference.
    pub(crate) fn get_mut<T>(mutex: &mut Mutex<T>) -> &mut T {
        mutex.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    /// Blocks until the condition variable is notified. May return early.
    pub(crate) fn wait<'a, T>(condvar: &Condvar, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        condvar.wait(guard).unwrap_or_else(PoisonError::into_inner)
    }

    /// Like [`wait`], for at most `limit`.
    pub(crate) fn wait_for<'a, T>(
        condvar: &Condvar,
        guard: MutexGuard<'a, T>,
        limit: Duration,
    ) -> MutexGuard<'a, T> {
        condvar
            .wait_timeout(guard, limit)
            .unwrap_or_else(PoisonError::into_inner)
            .0
    }
}

#[cfg(cantok_loom)]
mod imp {
    pub(crate) use loom::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, fence};
    pub(crate) use loom::sync::{Condvar, Mutex, MutexGuard};
    pub(crate) use loom::thread::LocalKey;

    use std::time::Duration;

    #[derive(Clone, Copy, PartialEq, Eq)]
    pub(crate) struct ThreadKey(loom::thread::ThreadId);

    impl ThreadKey {
        pub(crate) fn current() -> Self {
            ThreadKey(loom::thread::current().id())
        }
    }

    pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
        mutex.lock().expect("loom does not poison")
    }

    pub(crate) fn try_lock<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
        mutex.try_lock().ok()
    }

    pub(crate) fn get_mut<T>(mutex: &mut Mutex<T>) -> &mut T {
        mutex.get_mut().expect("loom does not poison")
    }

    pub(crate) fn wait<'a, T>(condvar: &Condvar, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        condvar.wait(guard).expect("loom does not poison")
    }

    /// Loom has no clock: the wait ends when it is notified.
    pub(crate) fn wait_for<'a, T>(
        condvar: &Condvar,
        guard: MutexGuard<'a, T>,
        _limit: Duration,
    ) -> MutexGuard<'a, T> {
        wait(condvar, guard)
    }

    /// Loom has no `OnceLock`. This one publishes with the same release and acquire through a loom atomic, which guards
    /// the value in a `std` cell.
    #[derive(Debug)]
    pub(crate) struct OnceLock<T> {
        writer: Mutex<()>,
        ready: AtomicBool,
        value: std::sync::OnceLock<T>,
    }

    impl<T> Default for OnceLock<T> {
        fn default() -> Self {
            OnceLock::new()
        }
    }

    impl<T> OnceLock<T> {
        pub(crate) fn new() -> Self {
            OnceLock {
                writer: Mutex::new(()),
                ready: AtomicBool::new(false),
                value: std::sync::OnceLock::new(),
            }
        }

        pub(crate) fn take(&mut self) -> Option<T> {
            self.value.take()
        }

        pub(crate) fn get(&self) -> Option<&T> {
            // Acquire: pairs with the release in `publish`.
            if self.ready.load(std::sync::atomic::Ordering::Acquire) {
                self.value.get()
            } else {
                None
            }
        }

        pub(crate) fn set(&self, value: T) -> Result<(), T> {
            let _writer = lock(&self.writer);
            self.publish(value)
        }

        pub(crate) fn get_or_init(&self, init: impl FnOnce() -> T) -> &T {
            {
                let _writer = lock(&self.writer);
                if self.value.get().is_none() {
                    let _ = self.publish(init());
                }
            }
            self.get().expect("just published")
        }

        fn publish(&self, value: T) -> Result<(), T> {
            self.value.set(value)?;
            // Release: pairs with the acquire in `get`.
            self.ready.store(true, std::sync::atomic::Ordering::Release);
            Ok(())
        }
    }
}

/// Thread-local variables with a constant initial value. Loom's own belong to one thread of the model, while those of
/// the standard library would belong to all of them.
#[cfg(not(cantok_loom))]
macro_rules! thread_locals {
    ($($(#[$attribute:meta])* static $NAME:ident: $T:ty = $value:expr;)*) => {
        std::thread_local! {
            $($(#[$attribute])* static $NAME: $T = const { $value };)*
        }
    };
}
#[cfg(cantok_loom)]
macro_rules! thread_locals {
    ($($(#[$attribute:meta])* static $NAME:ident: $T:ty = $value:expr;)*) => {
        loom::thread_local! {
            $($(#[$attribute])* static $NAME: $T = $value;)*
        }
    };
}

/// Reads a thread-local variable. Spares each caller a closure of its own.
#[inline]
pub(crate) fn get_local(key: &'static LocalKey<Cell<usize>>) -> usize {
    key.with(Cell::get)
}

/// Writes a thread-local variable.
#[inline]
pub(crate) fn set_local(key: &'static LocalKey<Cell<usize>>, value: usize) {
    key.with(|cell| cell.set(value));
}

pub(crate) use imp::*;
pub(crate) use std::sync::atomic::Ordering;
pub(crate) use thread_locals;

/// The standard `Arc` and `Weak` in both cases: loom's `Arc` has no `Weak`, and the models are not about reference
/// counts.
pub(crate) use std::sync::{Arc, Weak};
