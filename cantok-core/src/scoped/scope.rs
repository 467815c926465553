use super::jobs::{Jobs, Watched};
use super::{Outcome, ScopeError};
use crate::Token;
use crate::adapter::carry;
use crate::sync::Arc;
use std::{fmt, thread};

/// Runs threads that end together, like [`std::thread::scope`]. Each thread has a child of the token, and the first
/// error or panic cancels the others.
///
/// # Guarantees
///
/// - When this returns all threads have ended. A thread that does not check its token is not interrupted; this waits
///   for it.
/// - The token is checked once for each thread, before it is spawned. Once the token is cancelled, threads are skipped.
///   So a [`CounterToken`](crate::CounterToken) of `n` units lets exactly `n` of them start. If a peek finds the token
///   cancelled at the start, `f` itself is not called.
/// - A failure cancels the threads of this scope only, never `token`.
/// - The threads inherit the [current token](Token::current).
///
/// # Examples
///
/// ```
/// use cantok_core::{SimpleToken, scope};
/// use std::io;
///
/// fn fetch(mirror: &str) -> io::Result<Vec<u8>> {
///     Err(io::Error::other(format!("{mirror} does not answer")))
/// }
///
/// let shutdown = SimpleToken::new();
/// let all = scope(&shutdown, |s| {
///     s.spawn(|_| fetch("a.example").map(drop));
///     s.spawn(|t| Err(t.wait())); // until the other one fails
/// });
///
/// let error = all.unwrap_err();
/// assert_eq!(error.to_string(), "a thread failed: a.example does not answer");
/// assert!(error.failure().unwrap().is::<io::Error>());
/// assert!(shutdown.keep_on());
/// ```
///
/// Threads can write results into what they borrow:
///
/// ```
/// use cantok_core::{TimeoutToken, scope};
/// use std::time::Duration;
///
/// let mut squares = [1, 2, 3, 4];
/// scope(TimeoutToken::new(Duration::from_secs(60)), |s| {
///     for half in squares.chunks_mut(2) {
///         s.spawn(move |t| half.iter_mut().try_for_each(|number| {
///             *number *= *number;
///             t.check()
///         }));
///     }
/// })?;
/// assert_eq!(squares, [1, 4, 9, 16]);
/// # Ok::<(), cantok_core::ScopeError>(())
/// ```
///
/// # Errors
///
/// If a thread returned an error, or was skipped. [`ScopeError`] reports which came first: the failure of a thread or
/// the cancel of the token. What `f` returned is then dropped. If all threads return `Ok` despite a cancel, so does
/// this.
///
/// # Panics
///
/// If `f` or a thread panics, with the first panic, once all threads have ended. If the operating system refuses a
/// thread, as [`std::thread::spawn`] does.
pub fn scope<'env, T>(
    token: impl Into<Token>,
    f: impl for<'scope> FnOnce(&Scope<'scope, 'env>) -> T,
) -> Result<T, ScopeError> {
    let token = token.into();
    let jobs = Arc::new(Jobs::new(&token));
    let value = token.cancellation().is_none().then(|| {
        thread::scope(|inner| {
            let _watched = Watched(&jobs);
            f(&Scope {
                inner,
                jobs: Arc::clone(&jobs),
            })
        })
    });
    jobs.end(value)
}

/// Spawns threads that end together. [`scope`] makes it. Move a clone into a thread that spawns others.
#[derive(Clone)]
pub struct Scope<'scope, 'env: 'scope> {
    inner: &'scope thread::Scope<'scope, 'env>,
    jobs: Arc<Jobs>,
}

impl<'scope> Scope<'scope, '_> {
    /// Spawns a thread with a token of its own, which is cancelled with the scope's.
    ///
    /// An error of `f` cancels the other threads and is their reason. If the token is already cancelled, `f` is dropped
    /// without being called.
    ///
    /// # Panics
    ///
    /// If the operating system refuses a thread. [`scope`] describes what a panic of `f` does.
    pub fn spawn<F, O>(&self, f: F)
    where
        F: FnOnce(&Token) -> O + Send + 'scope,
        O: Outcome,
    {
        if self.jobs.may_start() {
            let jobs = Arc::clone(&self.jobs);
            self.inner.spawn(carry(move || jobs.run(f)));
        }
    }

    /// Returns the token of the scope's threads.
    ///
    /// It is cancelled with the token given to [`scope`], and by the first failure. Cancelling it stops all threads.
    pub fn token(&self) -> &Token {
        &self.jobs.group
    }
}

impl fmt::Debug for Scope<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope")
            .field("token", self.token())
            .finish_non_exhaustive()
    }
}
