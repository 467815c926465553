use cantok_core::adapter::{Current, stopped_early};
use cantok_core::{CancellationError, Token};
use std::error::Error;
use std::fmt;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

/// Runs a scope of jobs that are skipped if they have not started when the token is cancelled. Like [`rayon::scope`].
///
/// # Guarantees
///
/// - Each spawned job has one check, immediately before it starts. A [`CounterToken`](cantok_core::CounterToken) of `n`
///   units therefore lets exactly `n` jobs start.
/// - `op` does not start if a peek finds the token cancelled.
/// - As with rayon, this returns when all jobs are done or skipped.
/// - The [current token](Token::current) of the caller is the current one in `op`. A job has that of the code that
///   spawned it.
///
/// A job that has started is not interrupted. To end it sooner, check the token inside.
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
///
/// # Errors
///
/// If `op` or a job was skipped. The error holds the cause and the number of skipped jobs; the result of `op` is
/// dropped. A job that started and then ended early was not skipped: call [`Token::cancellation`] as well, or have the
/// jobs keep their results.
///
/// # Panics
///
/// As [`rayon::scope`], with the panic of `op`, of a job or of a check (see [`Token::is_cancelled`]), when all jobs are
/// done or skipped. A job that panics does not cancel the token.
pub fn scope<'scope, OP, R>(token: impl Into<Token>, op: OP) -> Result<R, ScopeError>
where
    OP: FnOnce(&Scope<'_, 'scope>) -> R + Send,
    R: Send,
{
    let jobs = Arc::new(Jobs {
        token: token.into(),
        skipped: AtomicUsize::new(0),
        first: OnceLock::new(),
    });
    let current = Current::get();
    let value = rayon::scope(|inner| {
        current.enter(|| match jobs.token.cancellation() {
            Some(error) => Err(error),
            None => Ok(op(&Scope {
                inner,
                jobs: Arc::clone(&jobs),
            })),
        })
    });
    let (is_started, cancellation) = match (value, jobs.first.get()) {
        (Ok(value), None) => return Ok(value),
        (Ok(_), Some(error)) => (true, error.clone()),
        (Err(error), _) => (false, error),
    };
    stopped_early("scope", &cancellation);
    Err(ScopeError {
        is_started,
        // Relaxed: rayon has joined all jobs.
        skipped: jobs.skipped.load(Ordering::Relaxed),
        cancellation,
    })
}

/// The state that all jobs of a scope share.
struct Jobs {
    token: Token,
    skipped: AtomicUsize,
    /// Why the first job was skipped.
    first: OnceLock<CancellationError>,
}

impl Jobs {
    fn skip(&self, error: CancellationError) {
        let _ = self.first.set(error);
        // Relaxed: see where it is read.
        self.skipped.fetch_add(1, Ordering::Relaxed);
    }
}

/// A scope that spawns jobs, which a token can keep from starting. Made by [`scope`].
///
/// # Examples
///
/// A function that spawns itself:
///
/// ```
/// use cantok_core::SimpleToken;
/// use cantok_rayon::{Scope, scope};
/// use std::sync::atomic::{AtomicU64, Ordering};
///
/// fn visit<'scope>(s: &Scope<'_, 'scope>, depth: u32, leaves: &'scope AtomicU64) {
///     if depth == 0 {
///         leaves.fetch_add(1, Ordering::Relaxed);
///         return;
///     }
///     s.spawn(move |s| visit(s, depth - 1, leaves));
///     s.spawn(move |s| visit(s, depth - 1, leaves));
/// }
///
/// let leaves = AtomicU64::new(0);
/// scope(SimpleToken::new(), |s| visit(s, 4, &leaves)).unwrap();
/// assert_eq!(leaves.into_inner(), 16);
/// ```
pub struct Scope<'a, 'scope> {
    inner: &'a rayon::Scope<'scope>,
    jobs: Arc<Jobs>,
}

impl<'scope> Scope<'_, 'scope> {
    /// Spawns a job that is skipped, and counted as skipped, if the token is cancelled before it starts. A skipped job
    /// is dropped.
    ///
    /// # Panics
    ///
    /// Never. [`scope`] resumes the panic of a job.
    pub fn spawn<F>(&self, job: F)
    where
        F: FnOnce(&Scope<'_, 'scope>) + Send + 'scope,
    {
        let jobs = Arc::clone(&self.jobs);
        let current = Current::get();
        self.inner.spawn(move |inner| {
            current.enter(|| match jobs.token.check() {
                Ok(()) => job(&Scope { inner, jobs }),
                Err(error) => jobs.skip(error),
            });
        });
    }

    /// Returns the token of this scope, for long jobs that check it themselves.
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

/// The error of a [`scope`] that skipped a job because its token was cancelled.
///
/// It converts into the [`CancellationError`] that is its cause, and into an [`io::Error`] as that does.
///
/// # Examples
///
/// ```
/// use cantok_core::{CancellationError, SimpleToken};
/// use cantok_rayon::scope;
///
/// fn work() -> Result<(), CancellationError> {
///     scope(SimpleToken::new(), |s| s.spawn(|_| ()))?;
///     Ok(())
/// }
/// assert!(work().is_ok());
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ScopeError {
    is_started: bool,
    skipped: usize,
    cancellation: CancellationError,
}

impl ScopeError {
    /// Returns how many spawned jobs did not start. If the scope itself did not start, it spawned none.
    pub fn skipped(&self) -> usize {
        self.skipped
    }

    /// Returns why they did not start.
    pub fn cancellation(&self) -> &CancellationError {
        &self.cancellation
    }
}

impl fmt::Display for ScopeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.skipped {
            _ if !self.is_started => f.write_str("the scope was not started"),
            1 => f.write_str("1 job was not started"),
            skipped => write!(f, "{skipped} jobs were not started"),
        }
    }
}

impl Error for ScopeError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.cancellation)
    }
}

impl From<ScopeError> for CancellationError {
    fn from(error: ScopeError) -> Self {
        error.cancellation
    }
}

impl From<ScopeError> for io::Error {
    fn from(error: ScopeError) -> Self {
        error.cancellation.into()
    }
}
