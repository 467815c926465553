use cantok_core::{CancellationError, Token};
use std::error::Error;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

/// [`rayon::scope`] whose jobs are skipped, if they have not started, once the token is cancelled.
///
/// There is one check for each spawned job, immediately before it starts, so that a
/// [`CounterToken`](cantok_core::CounterToken) of `n` units lets exactly `n` of them start. `op` itself is not started
/// if a look finds the token cancelled. Jobs that have started are not interrupted; to end them sooner, have them check
/// the token too. As with rayon, this returns when all jobs are done or skipped.
///
/// # Errors
///
/// If anything was skipped: says why and how much, and hands back what `op` returned.
///
/// # Panics
///
/// As [`rayon::scope`], with the panic of `op`, of a job or of a check (see [`Token::is_cancelled`]), when all jobs
/// are done or skipped. A job that panics does not cancel the token.
///
/// # Examples
///
/// ```
/// use cantok_core::CounterToken;
/// use cantok_rayon::scope;
/// use std::sync::atomic::{AtomicU32, Ordering};
///
/// let started = AtomicU32::new(0);
/// let done = scope(CounterToken::new(3), |s| {
///     for _ in 0..10 {
///         s.spawn(|_| {
///             started.fetch_add(1, Ordering::Relaxed);
///         });
///     }
/// });
///
/// let error = done.unwrap_err();
/// assert_eq!(error.skipped(), 7);
/// assert_eq!(error.cancellation().to_string(), "the counter of 3 checks is used up");
/// assert_eq!(started.into_inner(), 3);
/// ```
pub fn scope<'scope, OP, R>(token: impl Into<Token>, op: OP) -> Result<R, ScopeError<R>>
where
    OP: FnOnce(&Scope<'_, 'scope>) -> R + Send,
    R: Send,
{
    let jobs = Arc::new(Jobs {
        token: token.into(),
        skipped: AtomicUsize::new(0),
        first: OnceLock::new(),
    });
    let value = rayon::scope(|inner| match jobs.token.cause() {
        Some(error) => Err(error),
        None => Ok(op(&Scope {
            inner,
            jobs: Arc::clone(&jobs),
        })),
    });
    let (value, cancellation) = match (value, jobs.first.get()) {
        (Ok(value), None) => return Ok(value),
        (Ok(value), Some(error)) => (Some(value), error.clone()),
        (Err(error), _) => (None, error),
    };
    #[cfg(feature = "tracing")]
    crate::trace::stopped_early("scope", Some(&cancellation));
    Err(ScopeError {
        value,
        // Relaxed: rayon has joined all jobs.
        skipped: jobs.skipped.load(Ordering::Relaxed),
        cancellation,
    })
}

/// What all jobs of a scope have in common.
struct Jobs {
    token: Token,
    skipped: AtomicUsize,
    /// Why the first of them was skipped.
    first: OnceLock<CancellationError>,
}

impl Jobs {
    fn skip(&self, error: CancellationError) {
        let _ = self.first.set(error);
        // Relaxed: see where it is read.
        self.skipped.fetch_add(1, Ordering::Relaxed);
    }
}

/// Where jobs are spawned that a token can keep from starting. Made by [`scope`].
pub struct Scope<'a, 'scope> {
    inner: &'a rayon::Scope<'scope>,
    jobs: Arc<Jobs>,
}

impl<'scope> Scope<'_, 'scope> {
    /// [`rayon::Scope::spawn`] of a job that is skipped, and counted as such, if the token is cancelled when it is about
    /// to start. A job that is skipped is dropped.
    pub fn spawn<F>(&self, job: F)
    where
        F: FnOnce(&Scope<'_, 'scope>) + Send + 'scope,
    {
        let jobs = Arc::clone(&self.jobs);
        self.inner.spawn(move |inner| match jobs.token.check() {
            Ok(()) => job(&Scope { inner, jobs }),
            Err(error) => jobs.skip(error),
        });
    }

    /// The token of this scope, for jobs that take long.
    pub fn token(&self) -> &Token {
        &self.jobs.token
    }
}

impl fmt::Debug for Scope<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope")
            .field("token", &self.jobs.token)
            .finish_non_exhaustive()
    }
}

/// A [`scope`] that skipped something because its token was cancelled. Converts into a [`CancellationError`].
#[derive(Clone)]
pub struct ScopeError<R> {
    value: Option<R>,
    skipped: usize,
    cancellation: CancellationError,
}

impl<R> ScopeError<R> {
    /// The number of spawned jobs that were not started.
    pub fn skipped(&self) -> usize {
        self.skipped
    }

    /// Why.
    pub fn cancellation(&self) -> &CancellationError {
        &self.cancellation
    }

    /// What the scope's own closure returned, or `None` if it was not started either.
    pub fn into_inner(self) -> Option<R> {
        self.value
    }
}

// Not derived, like the errors of channels: whatever `R` is, `unwrap` and `?` work.
impl<R> fmt::Debug for ScopeError<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScopeError")
            .field("skipped", &self.skipped)
            .field("cancellation", &self.cancellation)
            .finish_non_exhaustive()
    }
}

impl<R> fmt::Display for ScopeError<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.value, self.skipped) {
            (None, _) => f.write_str("the scope was not started"),
            (Some(_), 1) => f.write_str("1 job was not started"),
            (Some(_), skipped) => write!(f, "{skipped} jobs were not started"),
        }
    }
}

impl<R> Error for ScopeError<R> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.cancellation)
    }
}

impl<R> From<ScopeError<R>> for CancellationError {
    fn from(error: ScopeError<R>) -> Self {
        error.cancellation
    }
}
