use crate::clock;
use crate::later::drop_nested;
use crate::sync::Arc;
use crate::{Cause, Reason};
use std::error::Error;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::time::Instant;
use std::{fmt, io};

/// Why a token was cancelled, and which one fired.
///
/// The token that fired and every token derived from it report the same error. It is one pointer wide, and cloning it
/// copies nothing.
///
/// # Examples
///
/// ```
/// use cantok_core::{Cause, CounterToken, SimpleToken};
///
/// let shutdown = SimpleToken::new().named("shutdown");
/// let budget = CounterToken::new(2);
/// let token = &shutdown + &budget;
///
/// assert!(token.keep_on() && token.keep_on());
/// let error = token.check().unwrap_err();
/// assert_eq!(error.cause(), &Cause::Counter { limit: 2 });
/// assert_eq!(error.to_string(), "the counter of 2 checks is used up");
/// assert!(error.is_from(&budget));
/// assert!(!error.is_from(&shutdown));
/// ```
#[derive(Clone)]
pub struct CancellationError(Arc<Inner>);

struct Inner {
    cause: Cause,
    /// The reason given to the builder `because` of the token that fired.
    because: Option<Reason>,
    name: Option<Arc<str>>,
    /// The address of the node that fired, since an error keeps no token alive.
    origin: usize,
    /// `None` on a platform without a clock.
    at: Option<Instant>,
    /// The error that this one repeats at a later instant.
    original: Option<CancellationError>,
}

impl Inner {
    fn reason(&self) -> Option<&Reason> {
        match &self.cause {
            Cause::Reason(reason) => Some(reason),
            _ => self.because.as_ref(),
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // A reason may own another token's error, to any depth.
        if let Cause::Reason(reason) = std::mem::replace(&mut self.cause, Cause::Cancelled) {
            drop_nested(reason);
        }
        if let Some(reason) = self.because.take() {
            drop_nested(reason);
        }
    }
}

// A reason may hold an error that is not unwind-safe. It is only read, through references that its owner shares between
// threads (`Sync`), so a panic cannot leave it half changed.
impl UnwindSafe for CancellationError {}
impl RefUnwindSafe for CancellationError {}

impl CancellationError {
    #[inline(never)]
    pub(crate) fn new(
        cause: Cause,
        name: Option<Arc<str>>,
        origin: usize,
        at: Option<Instant>,
    ) -> Self {
        CancellationError(Arc::new(Inner {
            cause,
            because: None,
            name,
            origin,
            at,
            original: None,
        }))
    }

    /// Adds the reason of the builder `because` to a new error.
    pub(crate) fn because(mut self, reason: Option<Reason>) -> Self {
        if let Some(inner) = Arc::get_mut(&mut self.0) {
            inner.because = reason;
        }
        self
    }

    /// Returns this error with a later instant. The two are equal.
    pub(crate) fn later(&self, at: Option<Instant>) -> Self {
        CancellationError(Arc::new(Inner {
            cause: self.0.cause.clone(),
            because: self.0.because.clone(),
            name: self.0.name.clone(),
            origin: self.0.origin,
            at,
            original: Some(self.original().clone()),
        }))
    }

    fn original(&self) -> &CancellationError {
        self.0.original.as_ref().unwrap_or(self)
    }

    /// Returns what happened.
    pub fn cause(&self) -> &Cause {
        &self.0.cause
    }

    /// Returns when it happened.
    ///
    /// - For a [`TimeoutToken`](crate::TimeoutToken) and an [`IdleToken`](crate::IdleToken): the deadline that has
    ///   passed.
    /// - For a [delayed](crate::Token::delayed) token: the end of the delay.
    /// - For a [`CounterToken`](crate::CounterToken) of 0 units: its creation.
    /// - For everything else: the time of the call that cancelled, or of the check.
    ///
    /// If there are several causes, a token reports the earliest. Two threads that cancel at the same moment may be
    /// ordered either way.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::TimeoutToken;
    /// use std::time::{Duration, Instant};
    ///
    /// let deadline = Instant::now() + Duration::from_millis(2);
    /// let token = TimeoutToken::at(deadline);
    /// assert_eq!(token.wait().at(), deadline);
    /// ```
    ///
    /// # Panics
    ///
    /// As [`Instant::now`] does where there is no clock, as on `wasm32-unknown-unknown`. There, of several causes since
    /// it was last asked, a token reports the leftmost.
    pub fn at(&self) -> Instant {
        self.0.at.unwrap_or_else(clock::now)
    }

    pub(crate) fn moment(&self) -> Option<Instant> {
        self.0.at
    }

    /// The address of the node that fired, at which there may be another node by now.
    pub(crate) fn origin(&self) -> usize {
        self.0.origin
    }

    /// Whether it holds a value of the user's.
    #[inline]
    pub(crate) fn has_reason(&self) -> bool {
        self.0.reason().is_some()
    }

    /// Returns the name of the token that fired, if it had one when it fired.
    pub fn name(&self) -> Option<&str> {
        self.0.name.as_deref()
    }

    /// Returns the reason, if it is an `E`: that of [`cancel_with`](crate::Token::cancel_with), or of the builder
    /// `because` of the token that fired.
    ///
    /// A reason given as a string has no type of its own. Read it as text, from [`Cause::Reason`] or the message.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::SimpleToken;
    /// use std::num::ParseIntError;
    ///
    /// let token = SimpleToken::new();
    /// token.cancel_with("no number".parse::<u8>().unwrap_err());
    /// let error = token.check().unwrap_err();
    /// assert!(error.reason::<ParseIntError>().is_some());
    /// assert!(error.reason::<std::fmt::Error>().is_none());
    /// ```
    pub fn reason<E: Error + 'static>(&self) -> Option<&E> {
        self.0.reason()?.as_error().downcast_ref()
    }
}

/// Two errors are equal if they report the same cancel.
impl PartialEq for CancellationError {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.original().0, &other.original().0)
    }
}

impl Eq for CancellationError {}

impl Error for CancellationError {
    /// Returns the reason's own source, if there is one, since the message contains the reason itself. If the reason is
    /// another token's error, this is the source of the last reason in the chain.
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.innermost().0.reason()?.as_error().source()
    }
}

impl CancellationError {
    /// Follows reasons that are errors of other tokens, in a loop, since they nest to any depth.
    fn innermost(&self) -> &CancellationError {
        let mut error = self;
        while let Some(reason) = error.0.reason() {
            let Some(inner) = reason.as_cancellation() else {
                break;
            };
            error = inner;
        }
        error
    }
}

/// Writes a message for end users: lowercase, on one line, without a full stop.
///
/// The token's name comes first, if it has one. A reason comes last, as it prints itself. If the reason is another
/// token's error, the message ends with that error's message. Of a longer chain only the first and the last error are
/// shown.
impl fmt::Display for CancellationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_own(f)?;
        let innermost = self.innermost();
        if !std::ptr::eq(self, innermost) {
            f.write_str(": ")?;
            innermost.write_own(f)?;
        }
        match innermost.0.reason() {
            Some(reason) => write!(f, ": {reason}"),
            None => Ok(()),
        }
    }
}

impl CancellationError {
    /// Writes the message without the reason.
    fn write_own(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(name) = self.name() {
            write!(f, "{name}: ")?;
        }
        match self.cause() {
            Cause::Cancelled | Cause::Reason(_) => f.write_str("cancelled"),
            Cause::Condition => f.write_str("the cancellation condition was satisfied"),
            Cause::Timeout { after } => write!(f, "the timeout of {after:?} has expired"),
            Cause::Idle { after } => write!(f, "idle for {after:?}"),
            Cause::Counter { limit } => write!(f, "the counter of {limit} checks is used up"),
        }
    }
}

impl Reason {
    /// Returns another token's error, even inside the `io::Error` that it converts into.
    fn as_cancellation(&self) -> Option<&CancellationError> {
        let inside = match self.as_error().downcast_ref::<io::Error>() {
            Some(error) => error.get_ref()?,
            None => self.as_error(),
        };
        inside.downcast_ref()
    }
}

impl fmt::Debug for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Errors of tokens nest to any depth.
        match self.as_cancellation() {
            Some(error) => write!(f, "{:?}", error.to_string()),
            None => fmt::Debug::fmt(self.as_error(), f),
        }
    }
}

/// Writes the message, since a `main` that returns a `Result` prints this. `{:#?}` adds the fields.
impl fmt::Debug for CancellationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)?;
        if f.alternate() {
            f.write_str(" ")?;
            f.debug_struct("CancellationError")
                .field("cause", self.cause())
                .field("name", &self.name())
                .finish()?;
        }
        Ok(())
    }
}

/// Makes an error of the kind [`io::ErrorKind::TimedOut`] for deadlines, [`io::ErrorKind::Other`] for everything else.
/// The kind is never `Interrupted`, on which the standard library's readers try again. The error itself is inside and
/// can be downcast.
impl From<CancellationError> for io::Error {
    fn from(error: CancellationError) -> Self {
        let kind = match error.cause() {
            Cause::Timeout { .. } | Cause::Idle { .. } => io::ErrorKind::TimedOut,
            _ => io::ErrorKind::Other,
        };
        io::Error::new(kind, error)
    }
}
