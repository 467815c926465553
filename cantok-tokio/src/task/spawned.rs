use super::cancel_on_drop::{CancelOnDrop, Unstarted};
use cantok_core::Token;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::task::{AbortHandle, JoinError, JoinHandle};

/// A future that waits for work on tokio's threads, and cancels it when dropped. Made by
/// [`spawn_with_token`](crate::spawn_with_token), [`spawn_local_with_token`](crate::spawn_local_with_token) and
/// [`spawn_blocking_with_token`](crate::spawn_blocking_with_token).
///
/// # Guarantees
///
/// - The work runs even if this is not polled. Its output is what it returned, even if it was cancelled.
/// - **Dropping this cancels the work's token**, and returns without waiting for the work. It aborts nothing: the work
///   stops where it checks its token. Only blocking work that has not started is given up; tokio drops it when a thread
///   is free. Once the output has been returned, the drop cancels nothing.
/// - If the work panics or its runtime is shut down, the output is an `Err`. The poll that returns it cancels the
///   work's token, and with it all other work under that token. (A panic of a callback there goes to the panic hook.)
/// - The work can distinguish a drop from a cancel of the given token: only after a drop the error [is
///   from](cantok_core::CancellationError::is_from) its own token.
///
/// This is ready when the work has ended, after any wait for a thread. To return at the cancel instead:
/// `spawned.with_token(&token).await`. The work may then still be stopping.
///
/// # Examples
///
/// A tracker of tokio-util waits for work that outlives its future:
///
/// ```
/// use cantok_core::{CancellationError, SimpleToken};
/// use cantok_tokio::spawn_blocking_with_token;
/// use std::time::Duration;
/// use tokio_util::task::TaskTracker;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let server = SimpleToken::new();
/// let tracker = TaskTracker::new();
///
/// let work = spawn_blocking_with_token(&server, {
///     let tracked = tracker.token(); // dropped with the work
///     move |token| -> Result<(), CancellationError> {
///         let _tracked = tracked;
///         loop {
///             token.check()?;
///         }
///     }
/// });
///
/// // The timeout drops the future of the work, which cancels the work's token.
/// assert!(tokio::time::timeout(Duration::from_millis(1), work).await.is_err());
///
/// // The work may still be stopping. This waits for all that was started.
/// tracker.close();
/// tracker.wait().await;
/// assert!(server.keep_on()); // a child was cancelled, not the server
/// # }
/// ```
///
/// # Panics
///
/// A poll panics if the output was returned before. A drop that cancels runs the callbacks of the work's token and
/// resumes their first panic.
///
/// # Cancel safety
///
/// Polling `&mut spawned`, in a `select!` for example, loses nothing. Dropping the future itself cancels the work.
#[derive(Debug)]
#[must_use = "dropping this cancels the work"]
pub struct Spawned<T> {
    handle: JoinHandle<T>,
    work: CancelOnDrop,
}

impl Unstarted for AbortHandle {
    fn give_up(&self) -> Option<Box<dyn Send + '_>> {
        // Aborts blocking work only if it has not started.
        self.abort();
        None
    }
}

impl<T> Spawned<T> {
    pub(super) fn new(handle: JoinHandle<T>, work: CancelOnDrop) -> Self {
        Spawned { handle, work }
    }

    /// For work that cannot be aborted once it has started.
    pub(super) fn blocking(handle: JoinHandle<T>, mut work: CancelOnDrop) -> Self {
        work.give_up_on_drop(Arc::new(handle.abort_handle()));
        Spawned { handle, work }
    }

    /// Returns the work's token, a child of the given one. Cancel it to stop the work and still await its output.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::SimpleToken;
    /// use cantok_tokio::spawn_blocking_with_token;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let steps = spawn_blocking_with_token(SimpleToken::new(), |token| {
    ///     let mut steps = 0_u64;
    ///     while token.keep_on() {
    ///         steps += 1;
    ///     }
    ///     steps
    /// });
    /// steps.token().cancel();
    /// println!("{} steps", steps.await.unwrap());
    /// # }
    /// ```
    pub fn token(&self) -> &Token {
        self.work.token()
    }

    /// Returns `true` if the work has ended, so that awaiting its output does not wait.
    pub fn is_finished(&self) -> bool {
        self.handle.is_finished()
    }

    /// Lets the work continue by itself, and returns tokio's handle. From then on only the given token cancels the
    /// work. You may await or drop the handle.
    pub fn detach(mut self) -> JoinHandle<T> {
        self.work.disarm();
        self.handle
    }
}

impl<T> Future for Spawned<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let output = ready!(Pin::new(&mut self.handle).poll(cx));
        match &output {
            Ok(_) => self.work.disarm(),
            Err(error) if error.is_panic() => self.work.cancel("the work has panicked"),
            Err(_) => self.work.cancel("the work was aborted"),
        }
        Poll::Ready(output)
    }
}
