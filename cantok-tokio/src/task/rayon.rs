use super::cancel_on_drop::{CancelOnDrop, Unstarted};
use crate::panic::swallow;
use cantok_core::Token;
use cantok_core::adapter::carry;
use rayon::ThreadPool;
use std::future::Future;
use std::panic::{self, AssertUnwindSafe, RefUnwindSafe, UnwindSafe};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};
use std::thread;
use tokio::sync::oneshot;

/// Runs `f` on rayon's threads with a child of `token`. Dropping the result cancels that child.
///
/// A client that hangs up, or a timeout around the handler, thereby stops the work. Needs the feature `rayon`.
///
/// # Guarantees
///
/// - The closure starts when a thread is free, even if the token is already cancelled: spawning is no check. It runs in
///   rayon's global pool, or in the pool of the calling thread.
/// - If the result is dropped before that, the closure never starts. If later, the closure stops where it checks its
///   token, as `par_iter().with_token(&token)` of `cantok-rayon` does.
/// - [`SpawnedRayon`] lists the others. [`ThreadPoolTokenExt::spawn_with_token`] does the same in a pool of your own.
///
/// The result is ready when the work has ended, after any wait in the queue. To return at the cancel instead:
/// `spawn_rayon_with_token(&token, f).with_token(&token).await`.
///
/// # Examples
///
/// ```
/// use cantok_core::{CancellationError, TimeoutToken};
/// use cantok_tokio::spawn_rayon_with_token;
/// use rayon::prelude::*;
/// use std::time::Duration;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let timeout = TimeoutToken::new(Duration::from_secs(60));
/// let sum: Result<u64, CancellationError> = spawn_rayon_with_token(&timeout, |token| {
///     (0..100_u64)
///         .into_par_iter()
///         .map(|number| token.check().map(|()| number))
///         .sum()
/// })
/// .await;
/// assert_eq!(sum, Ok(4_950));
/// # }
/// ```
///
/// # Panics
///
/// If rayon's global pool cannot be started.
pub fn spawn_rayon_with_token<T, F>(token: impl Into<Token>, f: F) -> SpawnedRayon<T>
where
    F: FnOnce(Token) -> T + Send + 'static,
    T: Send + 'static,
{
    SpawnedRayon::new(token.into(), f, rayon::spawn)
}

/// Adds `spawn_with_token` to rayon's pools. Needs the feature `rayon`.
pub trait ThreadPoolTokenExt {
    /// Runs `f` in this pool, like [`spawn_rayon_with_token`].
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::SimpleToken;
    /// use cantok_tokio::prelude::*;
    /// use rayon::ThreadPoolBuilder;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let pool = ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    /// let threads = pool.spawn_with_token(SimpleToken::new(), |_| rayon::current_num_threads());
    /// assert_eq!(threads.await, 1);
    /// # }
    /// ```
    fn spawn_with_token<T, F>(&self, token: impl Into<Token>, f: F) -> SpawnedRayon<T>
    where
        F: FnOnce(Token) -> T + Send + 'static,
        T: Send + 'static;
}

impl ThreadPoolTokenExt for ThreadPool {
    fn spawn_with_token<T, F>(&self, token: impl Into<Token>, f: F) -> SpawnedRayon<T>
    where
        F: FnOnce(Token) -> T + Send + 'static,
        T: Send + 'static,
    {
        SpawnedRayon::new(token.into(), f, |job| self.spawn(job))
    }
}

/// A future that waits for work on rayon's threads, and cancels it when dropped. Made by [`spawn_rayon_with_token`] and
/// [`ThreadPoolTokenExt::spawn_with_token`]. Needs the feature `rayon`.
///
/// It has the guarantees of [`Spawned`](crate::Spawned), with three differences:
///
/// - You can await it on any executor.
/// - Work that has not started is dropped with it, and not when a thread is free.
/// - Its output is what the work returned. If the work panics, awaiting it resumes the panic. A panic after the drop
///   goes to the panic hook and no further, not to rayon's panic handler.
///
/// # Panics
///
/// A poll resumes the panic of the work, and panics if the output was returned before. A drop that cancels runs the
/// callbacks of the work's token and resumes their first panic.
///
/// # Cancel safety
///
/// Polling `&mut spawned`, in a `select!` for example, loses nothing. Dropping the future itself cancels the work.
#[derive(Debug)]
#[must_use = "dropping this cancels the work"]
pub struct SpawnedRayon<T> {
    output: oneshot::Receiver<thread::Result<T>>,
    work: CancelOnDrop,
}

// The output is only moved out.
impl<T> UnwindSafe for SpawnedRayon<T> {}
impl<T> RefUnwindSafe for SpawnedRayon<T> {}

/// A closure that may not have started.
struct Waiting<F>(Mutex<Option<F>>);

impl<F> Waiting<F> {
    fn take(&self) -> Option<F> {
        // No user code runs under this lock, so it is not poisoned.
        self.0.lock().ok()?.take()
    }
}

impl<F: Send> Unstarted for Waiting<F> {
    fn give_up(&self) -> Option<Box<dyn Send + '_>> {
        Some(Box::new(self.take()))
    }
}

impl<T: Send + 'static> SpawnedRayon<T> {
    fn new<F>(token: Token, f: F, spawn: impl FnOnce(Box<dyn FnOnce() + Send>)) -> Self
    where
        F: FnOnce(Token) -> T + Send + 'static,
    {
        let mut work = CancelOnDrop::child_of(token);
        let token = work.token().clone();
        let waiting = Arc::new(Waiting(Mutex::new(Some(carry(move || f(token))))));
        work.give_up_on_drop(Arc::clone(&waiting) as Arc<dyn Unstarted>);
        let (sender, output) = oneshot::channel();
        // A panic in a job of rayon aborts the process. That of the work is sent; that of a drop here is swallowed.
        spawn(Box::new(move || {
            swallow(|| {
                if let Some(f) = waiting.take() {
                    let output = panic::catch_unwind(AssertUnwindSafe(f));
                    let _ = sender.send(output);
                }
            });
        }));
        SpawnedRayon { output, work }
    }
}

impl<T> SpawnedRayon<T> {
    /// Returns the work's token, a child of the given one. Cancel it to stop the work and still await its output.
    pub fn token(&self) -> &Token {
        self.work.token()
    }

    /// Returns `true` if the work has ended, so that awaiting its output does not wait.
    pub fn is_finished(&self) -> bool {
        self.work.has_ended()
    }

    /// Lets the work continue by itself. From then on only the given token cancels it.
    pub fn detach(mut self) {
        self.work.disarm();
    }
}

impl<T> Future for SpawnedRayon<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let output = ready!(Pin::new(&mut self.output).poll(cx));
        match output {
            Ok(Ok(output)) => {
                self.work.disarm();
                Poll::Ready(output)
            }
            Ok(Err(panic)) => {
                self.work.cancel("the work has panicked");
                panic::resume_unwind(panic)
            }
            Err(_) => panic!("rayon has dropped the work without running it"),
        }
    }
}
