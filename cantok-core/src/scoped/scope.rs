use super::jobs::{Jobs, Watched};
use super::{Outcome, ScopeError};
use crate::Token;
use crate::adapter::carry;
use crate::sync::Arc;
use std::{fmt, thread};

/// [`std::thread::scope`] whose threads end together: each has a child of the token, and the first error or panic of one
/// cancels the others.
///
/// # Guarantees
///
/// - When this returns all threads have ended. A thread that does not check its token is not interrupted, but waited for.
/// - There is one check for each thread, before it is spawned: once the token is cancelled the thread is skipped. So a
///   [`CounterToken`](crate::CounterToken) of `n` units lets exactly `n` of them start. `f` itself is not called if a peek
///   finds the token cancelled.
/// - A failure cancels the threads of this scope only, never `token`.
/// - The [current token](Token::current) is handed to the threads.
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
/// Results in what the threads borrow:
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
/// If a thread returned an error, or was skipped. [`ScopeError`] says which came first: the failure of a thread, or the
/// cancel of the token. What `f` returned is dropped. If all threads return `Ok` in spite of a cancel, this does so too.
///
/// # Panics
///
/// With the panic of `f`, or the first one of a thread, when all threads have ended. If the operating system refuses a
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

/// Where threads are spawned that end together. Made by [`scope`]. A clone can be moved into a thread that spawns others.
#[derive(Clone)]
pub struct Scope<'scope, 'env: 'scope> {
    inner: &'scope thread::Scope<'scope, 'env>,
    jobs: Arc<Jobs>,
}

impl<'scope> Scope<'scope, '_> {
    /// Spawns a thread with a token of its own, which is cancelled with the scope's, and with the first failure of another
    /// thread. An error of `f` cancels the other threads, and is their reason. If the token is cancelled already, `f` is
    /// dropped instead.
    ///
    /// # Panics
    ///
    /// If the operating system refuses a thread. For a panic of `f` see [`scope`].
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

    /// The token of all threads of this scope: cancelled with the scope's, and by the first failure. Cancelling it stops
    /// them all.
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
