//! A task that does nothing but count how often it is woken.

use futures_core::Stream;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex};
use std::task::{Context, Poll, Wake, Waker};

#[derive(Debug, Default)]
struct Count {
    wakes: Mutex<usize>,
    woken: Condvar,
}

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        *self.wakes.lock().unwrap() += 1;
        self.woken.notify_all();
    }
}

/// The task.
#[derive(Debug)]
pub struct Counted {
    count: Arc<Count>,
    waker: Waker,
}

impl Counted {
    /// A task that was never woken.
    #[expect(clippy::new_without_default, reason = "nothing asks for it")]
    pub fn new() -> Self {
        let count = Arc::<Count>::default();
        let waker = Waker::from(count.clone());
        Counted { count, waker }
    }

    /// How often it was woken.
    pub fn wakes(&self) -> usize {
        *self.count.wakes.lock().unwrap()
    }

    /// Returns when it was woken that often.
    pub fn await_wakes(&self, wakes: usize) {
        let seen = self.count.wakes.lock().unwrap();
        drop(self.count.woken.wait_while(seen, |seen| *seen < wakes));
    }

    /// How many wakers there are, besides its own.
    pub fn holders(&self) -> usize {
        Arc::strong_count(&self.count) - 2
    }

    /// Whether anything has its waker.
    pub fn is_held(&self) -> bool {
        self.holders() > 0
    }

    /// Its waker.
    pub fn waker(&self) -> &Waker {
        &self.waker
    }

    /// Polls a future with its waker.
    pub fn poll<F: Future + Unpin>(&self, future: &mut F) -> Poll<F::Output> {
        Pin::new(future).poll(&mut Context::from_waker(&self.waker))
    }

    /// Polls a stream with its waker.
    pub fn poll_next<S: Stream + Unpin>(&self, stream: &mut S) -> Poll<Option<S::Item>> {
        Pin::new(stream).poll_next(&mut Context::from_waker(&self.waker))
    }
}
