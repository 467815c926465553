//! The runtimes that tests run on, each bounded by the watchdog.

use cantok_testkit::watchdog;
use tokio::runtime::{Builder, Runtime};
use tokio::task::LocalSet;

/// One of each flavour.
pub(crate) fn runtimes() -> [Runtime; 2] {
    let mut workers = Builder::new_multi_thread();
    [
        &mut Builder::new_current_thread(),
        workers.worker_threads(2),
    ]
    .map(|builder| builder.enable_time().build().expect("a runtime"))
}

/// Runs `test` on each flavour, in a `LocalSet`.
pub(crate) fn on_every_runtime(what: &'static str, test: impl AsyncFn() + Send + 'static) {
    watchdog(what, move || {
        for runtime in runtimes() {
            LocalSet::new().block_on(&runtime, test());
        }
    });
}

/// A runtime whose clock stands still.
pub(crate) fn paused_runtime() -> Runtime {
    let mut builder = Builder::new_current_thread();
    let builder = builder.enable_time().start_paused(true);
    builder.build().expect("a runtime")
}

/// Runs `test` where the clock stands still, as `#[tokio::test(start_paused = true)]` does.
pub(crate) fn paused(what: &'static str, test: impl AsyncFnOnce() + Send + 'static) {
    watchdog(what, move || paused_runtime().block_on(test()));
}
