use cantok_core::adapter::{carry, stopped_early};
use cantok_core::{CancellationError, Token};
use std::fmt;
use std::sync::{Arc, OnceLock};

/// Spawns a job that is skipped if the token is cancelled before it starts. Like [`rayon::spawn`].
///
/// # Guarantees
///
/// - There is one check, immediately before `f` starts on a thread of the pool, which may be long after this call.
/// - The [current token](Token::current) of the caller is the current one while `f` runs.
/// - The returned [`JobHandle`] records a skip before `f` is dropped. Code that notices the drop, such as the receiver of
///   a channel whose sender `f` owns, finds the cause there.
///
/// An `f` that has started is not interrupted. To end it sooner, check a clone of the token inside.
///
/// # Examples
///
/// ```
/// use cantok_core::SimpleToken;
/// use cantok_rayon::spawn;
/// use std::sync::mpsc;
///
/// let token = SimpleToken::new();
/// let (sender, receiver) = mpsc::channel();
/// spawn(&token, {
///     let sender = sender.clone();
///     move || sender.send(6 * 7).unwrap()
/// });
/// assert_eq!(receiver.recv(), Ok(42));
///
/// token.cancel_with("no more questions");
/// let late = spawn(&token, move || sender.send(0).unwrap());
/// assert!(receiver.recv().is_err()); // the sender was dropped
/// assert!(late.skipped().unwrap().is_from(&token));
/// ```
///
/// # Panics
///
/// As with [`rayon::spawn`], a panic of `f`, or of the check (see [`Token::is_cancelled`]), goes to the pool's panic
/// handler, which aborts the process unless you have set another.
pub fn spawn<F>(token: impl Into<Token>, f: F) -> JobHandle
where
    F: FnOnce() + Send + 'static,
{
    let token = token.into();
    let skipped = Arc::new(OnceLock::new());
    let handle = JobHandle {
        skipped: Arc::clone(&skipped),
    };
    rayon::spawn(carry(move || match token.check() {
        Ok(()) => f(),
        Err(error) => {
            let _ = skipped.set(error);
            // Recorded first: a subscriber may panic, which drops `f` as well.
            stopped_early("spawn", skipped.get());
            drop(f);
        }
    }));
    handle
}

/// A handle to a job of [`spawn`]. Dropping it does not affect the job.
#[derive(Clone)]
pub struct JobHandle {
    skipped: Arc<OnceLock<CancellationError>>,
}

impl JobHandle {
    /// Returns why the job was skipped, or `None` if it waits for a thread, has started, or is done.
    pub fn skipped(&self) -> Option<&CancellationError> {
        self.skipped.get()
    }
}

impl fmt::Debug for JobHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobHandle")
            .field("skipped", &self.skipped())
            .finish()
    }
}
