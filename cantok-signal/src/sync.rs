//! The only source of the crate's atomics and locks: the standard library, or loom's models of it under
//! `cfg(cantok_loom)`, which `models/build.rs` sets.

#[cfg(not(cantok_loom))]
pub(crate) use std::sync::{Mutex, MutexGuard, atomic::AtomicBool};
#[cfg(all(not(cantok_loom), test, unix))]
pub(crate) use std::sync::{RwLock, RwLockWriteGuard};

#[cfg(cantok_loom)]
pub(crate) use loom::sync::{Mutex, MutexGuard, RwLock, RwLockWriteGuard, atomic::AtomicBool};

// The models do not test reference counts.
pub(crate) use std::sync::{Arc, PoisonError, atomic::Ordering};
