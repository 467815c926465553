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
/// The work runs whether this is polled or not. The output is what the work returned, a cancelled one too: what it does
/// when its token says stop, and what it returns then, is its own affair. If it panics, the output is an `Err` with the
/// panic, and when that is returned its token is cancelled, so that what it has started in turn stops too. So it is if
/// the runtime was shut down under it. (A callback's panic in that goes to the panic hook.)
///
/// To have an answer with the cancel and not with the end of the work, wrap this:
/// `spawned.with_token(&token).await`.
///
/// **Dropping this cancels the work's token**, with a reason that says so, and returns without waiting for the work. It
/// aborts nothing: the work stops by itself where it asks its token. Only blocking work that still waits for a thread
/// is given up: it is dropped without being called when a thread comes to it. Once the output has been returned,
/// nothing is cancelled any more.
///
/// The work can tell that nobody waits for it any more from what cancels the given token: the error is then
/// [from](cantok_core::CancellationError::is_from) its own one, as it is when somebody cancels that by hand.
///
/// # Cancel safety
///
/// Polling `&mut spawned`, in a `select!` for example, can be given up without losing anything. Dropping the future
/// itself cancels the work, as said.
///
/// # Panics
///
/// A poll panics if the output was returned before. A drop that cancels runs the callbacks of the work's token, and
/// resumes their first panic.
#[derive(Debug)]
#[must_use = "dropping this cancels the work"]
pub struct Spawned<T> {
    handle: JoinHandle<T>,
    work: CancelOnDrop,
}

impl Unstarted for AbortHandle {
    fn give_up(&self) -> Option<Box<dyn Send + '_>> {
        // Of blocking work: what has started goes on.
        self.abort();
        None
    }
}

impl<T> Spawned<T> {
    pub(super) fn new(handle: JoinHandle<T>, work: CancelOnDrop) -> Self {
        Spawned { handle, work }
    }

    /// Of work that cannot be stopped from outside once it has started.
    pub(super) fn blocking(handle: JoinHandle<T>, mut work: CancelOnDrop) -> Self {
        work.give_up_on_drop(Arc::new(handle.abort_handle()));
        Spawned { handle, work }
    }

    /// The work's token, a child of the one that was given. Cancel it to stop the work and still have its output.
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

    /// Whether the work is done, so that awaiting its output does not wait.
    pub fn is_finished(&self) -> bool {
        self.handle.is_finished()
    }

    /// Lets the work go on by itself: it is cancelled with the token that was given, and by nobody's drop. Tokio's
    /// handle to it can be awaited, or dropped.
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
