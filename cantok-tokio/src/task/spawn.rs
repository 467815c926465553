use super::Spawned;
use super::cancel_on_drop::CancelOnDrop;
use super::with_current::WithCurrent;
use cantok_core::Token;
use cantok_core::adapter::carry;
use std::future::Future;

/// Spawns a task with a child of `token`. Dropping the result cancels that child.
///
/// # Guarantees
///
/// - The task starts at once, even if the token is already cancelled: spawning is no check.
/// - It stops where it waits [with its token](crate::FutureTokenExt::with_token) or [checks](Token::check) it.
/// - It has the [current token](Token::current) of the code that spawns it.
/// - [`Spawned`] lists the others.
///
/// # Examples
///
/// ```
/// use cantok_core::SimpleToken;
/// use cantok_tokio::prelude::*;
/// use cantok_tokio::spawn_with_token;
/// use std::time::Duration;
/// use tokio::time::{sleep, timeout};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let shutdown = SimpleToken::new();
/// let (sender, cleaned_up) = tokio::sync::oneshot::channel();
/// let task = spawn_with_token(&shutdown, |token| async move {
///     let _ = sleep(Duration::from_secs(60)).with_token(&token).await;
///     let _ = sender.send("cleaned up"); // the task still runs to its end
/// });
///
/// let late = timeout(Duration::from_millis(5), task).await; // drops the task's future
/// assert!(late.is_err());
/// assert_eq!(cleaned_up.await, Ok("cleaned up"));
/// # }
/// ```
///
/// # Panics
///
/// Outside of a tokio runtime, as [`tokio::spawn`], and if `f` panics.
#[track_caller]
pub fn spawn_with_token<F>(
    token: impl Into<Token>,
    f: impl FnOnce(Token) -> F,
) -> Spawned<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    let work = CancelOnDrop::child_of(token.into());
    let future = WithCurrent::new(f(work.token().clone()));
    Spawned::new(tokio::spawn(future), work)
}

/// Spawns a future that is not [`Send`] on the current [`LocalSet`](tokio::task::LocalSet), like [`spawn_with_token`].
///
/// # Examples
///
/// ```
/// use cantok_core::SimpleToken;
/// use cantok_tokio::spawn_local_with_token;
/// use std::rc::Rc;
/// use tokio::task::LocalSet;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let local = LocalSet::new();
/// let answer = local.run_until(async {
///     let shared = Rc::new(42);
///     spawn_local_with_token(SimpleToken::new(), |_| async move { *shared }).await
/// });
/// assert_eq!(answer.await.unwrap(), 42);
/// # }
/// ```
///
/// # Panics
///
/// Outside of a `LocalSet` or a local runtime, and if `f` panics.
#[track_caller]
pub fn spawn_local_with_token<F>(
    token: impl Into<Token>,
    f: impl FnOnce(Token) -> F,
) -> Spawned<F::Output>
where
    F: Future<Output: 'static> + 'static,
{
    let work = CancelOnDrop::child_of(token.into());
    let future = WithCurrent::new(f(work.token().clone()));
    Spawned::new(tokio::task::spawn_local(future), work)
}

/// Runs `f` on tokio's threads for blocking work, with a child of `token`. Dropping the result cancels that child.
///
/// A client that hangs up, or a timeout around the handler, thereby stops the work. For computations, rayon's pool is
/// the better place: see `spawn_rayon_with_token`, behind the feature `rayon`.
///
/// # Guarantees
///
/// - The closure starts when a thread is free, even if the token is already cancelled: spawning is no check.
/// - If the result is dropped before that, the closure never starts. If later, the closure stops at its next check.
/// - [`Spawned`] lists the others.
///
/// # Examples
///
/// ```
/// use cantok_core::{CancellationError, SimpleToken, Token};
/// use cantok_tokio::spawn_blocking_with_token;
///
/// fn sum(numbers: &[u64], token: &Token) -> Result<u64, CancellationError> {
///     let mut sum = 0;
///     for number in numbers {
///         token.check()?;
///         sum += number;
///     }
///     Ok(sum)
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let shutdown = SimpleToken::new();
/// let numbers = vec![1; 1_000];
/// let work = spawn_blocking_with_token(&shutdown, move |token| sum(&numbers, &token));
/// assert_eq!(work.await.unwrap(), Ok(1_000));
/// # }
/// ```
///
/// # Panics
///
/// Outside of a tokio runtime, as [`tokio::task::spawn_blocking`].
#[track_caller]
pub fn spawn_blocking_with_token<T, F>(token: impl Into<Token>, f: F) -> Spawned<T>
where
    F: FnOnce(Token) -> T + Send + 'static,
    T: Send + 'static,
{
    let work = CancelOnDrop::child_of(token.into());
    let token = work.token().clone();
    Spawned::blocking(tokio::task::spawn_blocking(carry(|| f(token))), work)
}
