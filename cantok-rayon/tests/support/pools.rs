//! Pools of 1, 2 and 8 threads, for tests that do not block in them.

use rayon::{ThreadPool, ThreadPoolBuilder};
use std::ops::Deref;
use std::sync::LazyLock;

#[allow(dead_code, reason = "not for tests that block")]
pub(crate) static POOLS: LazyLock<[Pool; 3]> = LazyLock::new(|| [1, 2, 8].map(pool));

pub(crate) struct Pool(ThreadPool);

/// A pool of its own.
pub(crate) fn pool(threads: usize) -> Pool {
    let builder = ThreadPoolBuilder::new().num_threads(threads);
    Pool(builder.build().unwrap())
}

impl Pool {
    /// [`ThreadPool::install`], compiled once for all closures.
    pub(crate) fn install<R: Send>(&self, run: impl FnOnce() -> R + Send) -> R {
        fn install(pool: &ThreadPool, run: &mut (dyn FnMut() + Send)) {
            pool.install(run);
        }

        let (mut run, mut result) = (Some(run), None);
        install(&self.0, &mut || result = run.take().map(|run| run()));
        result.unwrap()
    }
}

impl Deref for Pool {
    type Target = ThreadPool;

    fn deref(&self) -> &ThreadPool {
        &self.0
    }
}
