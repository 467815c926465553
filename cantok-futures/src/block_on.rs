use crate::FutureTokenExt as _;
use cantok_core::{CancellationError, Token};
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

#[cfg(cantok_loom)]
use loom::sync::{Condvar, Mutex};
#[cfg(not(cantok_loom))]
use std::sync::{Condvar, Mutex};

/// Runs `future` on this thread, and blocks until it is ready or the token is cancelled.
///
/// Use it to make a blocking wait of any library with an async API cancellable. The thread sleeps until the future or
/// the cancel wakes it. No runtime is needed.
///
/// Do not call this in an `async fn`: it blocks the executor's thread. A future that needs a runtime, such as tokio's
/// timers, needs that runtime entered here and running on another thread.
///
/// # Guarantees
///
/// Those of [`with_token`](crate::FutureTokenExt::with_token). The call is one [check](Token#checks-and-peeks), the
/// token comes first, and a future that the token ends is dropped before this returns. For an output that wins over the
/// cancel, use [`future_first`](crate::future::WithToken::future_first) with any other `block_on`.
///
/// # Examples
///
/// A blocking `recv` of flume, with a deadline and a cancel:
///
/// ```
/// use cantok_core::{SimpleToken, TimeoutToken};
/// use cantok_futures::block_on_with_token;
/// use std::thread;
/// use std::time::Duration;
///
/// let shutdown = SimpleToken::new();
/// let token = &shutdown + TimeoutToken::new(Duration::from_secs(60));
/// let (sender, receiver) = flume::unbounded();
///
/// thread::scope(|scope| {
///     let consumer = scope.spawn(|| {
///         let mut received = Vec::new();
///         while let Ok(Ok(item)) = block_on_with_token(receiver.recv_async(), &token) {
///             received.push(item);
///         }
///         received
///     });
///     sender.send(1).unwrap();
///     sender.send(2).unwrap();
///     while !receiver.is_empty() {
///         thread::yield_now();
///     }
///     shutdown.cancel();
///     assert_eq!(consumer.join().unwrap(), [1, 2]);
/// });
/// ```
///
/// A blocking receive of async-channel, and a lock of async-lock:
///
/// ```
/// use async_lock::Mutex;
/// use cantok_core::{Cause, TimeoutToken};
/// use cantok_futures::block_on_with_token;
/// use std::time::Duration;
///
/// let token = TimeoutToken::new(Duration::from_millis(5));
/// let (_sender, receiver) = async_channel::bounded::<u32>(1);
/// let error = block_on_with_token(receiver.recv(), &token).unwrap_err();
/// assert!(matches!(error.cause(), Cause::Timeout { .. }));
///
/// let mutex = Mutex::new(1);
/// let _guard = mutex.lock_blocking();
/// let token = TimeoutToken::new(Duration::from_millis(5));
/// assert!(block_on_with_token(mutex.lock(), &token).is_err());
/// ```
///
/// A channel of tokio, from a thread outside the runtime:
///
/// ```
/// use cantok_core::SimpleToken;
/// use cantok_futures::block_on_with_token;
///
/// let token = SimpleToken::new();
/// let (sender, mut receiver) = tokio::sync::mpsc::channel(1);
/// sender.try_send("job").unwrap();
/// assert_eq!(block_on_with_token(receiver.recv(), &token), Ok(Some("job")));
/// token.cancel();
/// assert!(block_on_with_token(receiver.recv(), &token).is_err());
/// ```
///
/// # Errors
///
/// If the token is cancelled.
///
/// # Panics
///
/// If the future panics, or as [`WithToken`](crate::future::WithToken).
pub fn block_on_with_token<F: Future>(
    future: F,
    token: impl Into<Token>,
) -> Result<F::Output, CancellationError> {
    let mut future = pin!(future.with_token(token));
    let thread = Arc::new(Thread::default());
    let waker = Waker::from(Arc::clone(&thread));
    let mut cx = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(result) = future.as_mut().poll(&mut cx) {
            return result;
        }
        thread.sleep();
    }
}

/// Wakes the blocked thread. Not `std::thread::park`: the future may park in its polls, and consume the wake-up.
#[derive(Default)]
struct Thread {
    is_woken: Mutex<bool>,
    woken: Condvar,
}

impl Thread {
    /// Blocks until a wake-up that came after the last call.
    fn sleep(&self) {
        // Nothing panics under this lock.
        let mut is_woken = self.is_woken.lock().unwrap_or_else(PoisonError::into_inner);
        while !*is_woken {
            is_woken = self
                .woken
                .wait(is_woken)
                .unwrap_or_else(PoisonError::into_inner);
        }
        *is_woken = false;
    }
}

impl Wake for Thread {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        *self.is_woken.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.woken.notify_one();
    }
}
