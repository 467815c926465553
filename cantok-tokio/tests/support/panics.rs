//! What a panic says.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// The message of the panic of `f`.
pub(crate) fn message<T>(f: impl FnOnce() -> T) -> String {
    let panic = catch_unwind(AssertUnwindSafe(f)).err().expect("a panic");
    match panic.downcast::<String>() {
        Ok(message) => *message,
        Err(panic) => panic.downcast_ref::<&str>().unwrap().to_string(),
    }
}
