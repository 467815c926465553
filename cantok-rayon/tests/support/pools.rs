//! Pools of 1, 2 and 8 threads, for tests that do not block in them.

use rayon::{ThreadPool, ThreadPoolBuilder};
use std::sync::LazyLock;

#[allow(dead_code, reason = "not for tests that block")]
pub(crate) static POOLS: LazyLock<[ThreadPool; 3]> = LazyLock::new(|| [1, 2, 8].map(pool));

/// A pool of its own.
pub(crate) fn pool(threads: usize) -> ThreadPool {
    let builder = ThreadPoolBuilder::new().num_threads(threads);
    builder.build().unwrap()
}
