use super::Spawned;
use super::cancel_on_drop::CancelOnDrop;
use cantok_core::Token;
use cantok_core::adapter::carry;
use std::future::Future;

/// [`tokio::spawn`] of a future that is handed a child of `token`, which is cancelled when the result is dropped.
///
/// The task starts at once. `f` is called here and now, also if the token is cancelled already; it is up to the future
/// that it makes to ask its token: with [`with_token`](crate::FutureTokenExt::with_token) around what it waits for, or
/// [`check`](Token::check) in between. Spawning is no check itself. See [`Spawned`] for what is guaranteed.
///
/// # Panics
///
/// Outside of a tokio runtime, as [`tokio::spawn`], and if `f` panics.
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
///     let _ = sender.send("cleaned up"); // a stop is gentle
/// });
///
/// let late = timeout(Duration::from_millis(5), task).await; // drops the task's future
/// assert!(late.is_err());
/// assert_eq!(cleaned_up.await, Ok("cleaned up"));
/// # }
/// ```
#[track_caller]
pub fn spawn_with_token<F>(
    token: impl Into<Token>,
    f: impl FnOnce(Token) -> F,
) -> Spawned<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    let work = CancelOnDrop::child_of(token.into());
    Spawned::new(tokio::spawn(f(work.token().clone())), work)
}

/// [`spawn_with_token`] for futures that are not [`Send`]: on the current
/// [`LocalSet`](tokio::task::LocalSet), as [`tokio::task::spawn_local`].
///
/// # Panics
///
/// Outside of a `LocalSet` or a local runtime, and if `f` panics.
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
#[track_caller]
pub fn spawn_local_with_token<F>(
    token: impl Into<Token>,
    f: impl FnOnce(Token) -> F,
) -> Spawned<F::Output>
where
    F: Future<Output: 'static> + 'static,
{
    let work = CancelOnDrop::child_of(token.into());
    Spawned::new(tokio::task::spawn_local(f(work.token().clone())), work)
}

/// [`tokio::task::spawn_blocking`] of a closure that is handed a child of `token`, which is cancelled when the result
/// is dropped: by a request's handler that goes with its client, or by a timeout around it.
///
/// The closure starts when tokio has a thread for it, also if the token is cancelled already, unless the result was
/// dropped before: then it is dropped without being called. It stops where it asks its token. Spawning is no check
/// itself. See [`Spawned`] for what is guaranteed.
///
/// For computations, which keep a thread busy, rayon's pool is the better place: see `spawn_rayon_with_token`, behind
/// the feature `rayon`.
///
/// # Panics
///
/// Outside of a tokio runtime, as [`tokio::task::spawn_blocking`].
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
