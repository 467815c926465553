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

/// Runs `f` on rayon's threads with a child of `token`. Dropping the result cancels that child: by a client that hangs
/// up, for example, or by a timeout around the handler.
///
/// The closure starts when a thread of rayon's global pool, or of the pool that this is called in, is free, even if the
/// token is already cancelled. Dropped before that, it never starts. It stops where it checks its token; inside,
/// `par_iter().with_token(&token)` of `cantok-rayon` does. Spawning is no check. [`SpawnedRayon`] lists the guarantees,
/// and [`ThreadPoolTokenExt::spawn_with_token`] does the same in a pool of your own. Both need the feature `rayon`.
///
/// The result is ready once the work has ended, which may have waited in line before. To be answered with the cancel
/// instead: `spawn_rayon_with_token(&token, f).with_token(&token).await`.
///
/// # Panics
///
/// If rayon's global pool cannot be started.
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
pub fn spawn_rayon_with_token<T, F>(token: impl Into<Token>, f: F) -> SpawnedRayon<T>
where
    F: FnOnce(Token) -> T + Send + 'static,
    T: Send + 'static,
{
    SpawnedRayon::new(token.into(), f, rayon::spawn)
}

/// `spawn_with_token` for rayon's pools. Needs the feature `rayon`.
pub trait ThreadPoolTokenExt {
    /// [`spawn_rayon_with_token`] in this pool.
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
/// Like [`Spawned`](crate::Spawned), with three differences: it can be awaited on any executor; work that has not
/// started is dropped with it, not when a thread is free; and its output is what the work returned. If the work panics,
/// awaiting it resumes the panic. If the panic comes after the drop, it goes to the panic hook and no further, not to
/// rayon's panic handler.
///
/// # Cancel safety
///
/// Polling `&mut spawned`, in a `select!` for example, loses nothing. Dropping the future itself cancels the work.
///
/// # Panics
///
/// A poll resumes the panic of the work, and panics if the output was returned before. A drop that cancels runs the
/// callbacks of the work's token and resumes their first panic.
#[derive(Debug)]
#[must_use = "dropping this cancels the work"]
pub struct SpawnedRayon<T> {
    output: oneshot::Receiver<thread::Result<T>>,
    work: CancelOnDrop,
}

// The output is only ever moved out of it.
impl<T> UnwindSafe for SpawnedRayon<T> {}
impl<T> RefUnwindSafe for SpawnedRayon<T> {}

/// A closure that has not started.
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
        // A panic in a job of rayon ends the process. That of the work is sent; that of a drop here has nowhere to go.
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
    /// The work's token, a child of the given one. Cancel it to stop the work and still have its output.
    pub fn token(&self) -> &Token {
        self.work.token()
    }

    /// Whether the work has ended, so that awaiting its output does not wait.
    pub fn is_finished(&self) -> bool {
        self.work.has_ended()
    }

    /// Lets the work go on by itself. From then on only the given token cancels it.
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
