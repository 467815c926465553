//! What a panic says.

use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::sync::Once;

/// The message of the panic of `f`.
pub fn message<T>(f: impl FnOnce() -> T) -> String {
    let panic = catch_unwind(AssertUnwindSafe(f)).err().expect("a panic");
    match panic.downcast::<String>() {
        Ok(message) => *message,
        Err(panic) => panic.downcast_ref::<&str>().unwrap().to_string(),
    }
}

/// The file that the panic of `f` names as its place.
pub fn file<T>(f: impl FnOnce() -> T) -> String {
    static HOOK: Once = Once::new();
    thread_local!(static FILE: RefCell<String> = RefCell::default());

    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let file = info.location().map(|at| at.file().to_owned());
            FILE.set(file.unwrap_or_default());
            before(info);
        }));
    });
    catch_unwind(AssertUnwindSafe(f)).err().expect("a panic");
    FILE.take()
}
