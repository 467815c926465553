use cantok_core::adapter::Current;
use cantok_core::{CancellationError, Token};
use std::error::Error;
use std::fmt;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

/// [`rayon::scope`] whose jobs are skipped, if they have not started, once the token is cancelled.
///
/// There is one check for each spawned job, immediately before it starts, so that a
/// [`CounterToken`](cantok_core::CounterToken) of `n` units lets exactly `n` of them start. `op` itself is not started
/// if a look finds the token cancelled. Jobs that have started are not interrupted; to end them sooner, have them check
/// the token too. As with rayon, this returns when all jobs are done or skipped.
///
/// The [current token](Token::current) of the caller is the current one in `op`, and in each job that of the spawning one.
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
/// If anything was skipped, says why, and how many jobs; what `op` returned is dropped. A job that had started and
/// ended itself early was not skipped: ask [`Token::cancellation`] as well, or have the jobs keep their results.
///
/// # Panics
///
/// As [`rayon::scope`], with the panic of `op`, of a job or of a check (see [`Token::is_cancelled`]), when all jobs
/// are done or skipped. A job that panics does not cancel the token.
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
    #[cfg(feature = "tracing")]
    crate::trace::stopped_early("scope", Some(&cancellation));
    Err(ScopeError {
        is_started,
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
    /// [`rayon::Scope::spawn`] of a job that is skipped, and counted as such, if the token is cancelled when it is
    /// about to start. A job that is skipped is dropped.
    ///
    /// # Panics
    ///
    /// Not here: see [`scope`].
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

    /// The token of this scope, for jobs that take long and ask it themselves.
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

/// A [`scope`] that skipped something because its token was cancelled.
///
/// It converts into what it is caused by, a [`CancellationError`], and into an [`io::Error`] as that does.
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
    /// How many spawned jobs were not started. None at all was spawned if the scope itself was not started.
    pub fn skipped(&self) -> usize {
        self.skipped
    }

    /// Why they were not started.
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
