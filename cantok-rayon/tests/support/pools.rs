//! Pools of 1, 2 and 8 threads.

use rayon::{ThreadPool, ThreadPoolBuilder};
use std::sync::LazyLock;

pub(crate) static POOLS: LazyLock<[ThreadPool; 3]> = LazyLock::new(|| {
    [1, 2, 8].map(|threads| {
        let builder = ThreadPoolBuilder::new().num_threads(threads);
        builder.build().unwrap()
    })
});
