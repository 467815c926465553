use crate::later::drop_nested;
use crate::node::Node;
use crate::sync::Arc;
use crate::{Cause, Reason, Token};
use std::error::Error;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::time::Instant;
use std::{fmt, io};

/// Why a token was cancelled, and which one fired.
///
/// The same error is reported by the token that fired and by every token derived from it: sums, sums of sums and
/// children. It is one pointer wide and cloning it copies nothing.
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
    /// Of a token that has one whatever cancels it.
    because: Option<Reason>,
    name: Option<Arc<str>>,
    /// The address of the node that fired. Not a reference: an error keeps no token alive. See
    /// [`CancellationError::is_from_node`].
    origin: usize,
    at: Instant,
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
        // Which may be another token's error, and so on.
        if let Cause::Reason(reason) = std::mem::replace(&mut self.cause, Cause::Cancelled) {
            drop_nested(reason);
        }
        if let Some(reason) = self.because.take() {
            drop_nested(reason);
        }
    }
}

// A reason may hold any error, whose unwind safety is not known; it is only ever read through a shared reference
// that its owner already shares between threads (`Sync`), so a panic elsewhere cannot leave it torn by us.
impl UnwindSafe for CancellationError {}
impl RefUnwindSafe for CancellationError {}

impl CancellationError {
    pub(crate) fn new(
        cause: Cause,
        name: Option<Arc<str>>,
        origin: &Arc<Node>,
        at: Instant,
    ) -> Self {
        CancellationError(Arc::new(Inner {
            cause,
            because: None,
            name,
            origin: Arc::as_ptr(origin).addr(),
            at,
            original: None,
        }))
    }

    /// A new error with the reason that its token was made with.
    pub(crate) fn because(mut self, reason: Option<Reason>) -> Self {
        if let Some(inner) = Arc::get_mut(&mut self.0) {
            inner.because = reason;
        }
        self
    }

    /// This error at a later instant: equal to it but for that.
    pub(crate) fn later(&self, at: Instant) -> Self {
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

    /// What happened.
    pub fn cause(&self) -> &Cause {
        &self.0.cause
    }

    /// When it happened: for a [`TimeoutToken`](crate::TimeoutToken) and an [`IdleToken`](crate::IdleToken) the deadline
    /// that has passed, for a [delayed](Token::delayed) token the end of the delay, for a
    /// [`CounterToken`](crate::CounterToken) of 0 units its creation; for everything else the time of the call that
    /// cancelled, or of the check. Of several causes a token reports the earliest.
    ///
    /// Two threads that cancel at the same moment may be ordered either way.
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
    pub fn at(&self) -> Instant {
        self.0.at
    }

    /// Whether `token` is the very token that fired, however many sums and children lie between it and the token
    /// that reported this error.
    pub fn is_from(&self, token: &Token) -> bool {
        self.is_from_node(token.node())
    }

    /// Whether there is something of the user's in it.
    #[inline]
    pub(crate) fn has_reason(&self) -> bool {
        self.0.reason().is_some()
    }

    /// [`CancellationError::is_from`] for a node.
    pub(crate) fn is_from_node(&self, node: &Arc<Node>) -> bool {
        // The address may be that of a later node by now, but that one does not have this error: what has the error
        // owns the node that fired.
        self.0.origin == Arc::as_ptr(node).addr() && node.error() == Some(self)
    }

    /// The name of the token that fired, if it had one when it fired.
    pub fn name(&self) -> Option<&str> {
        self.0.name.as_deref()
    }

    /// The reason given to [`Token::cancel_with`], or to the `because` of the token that fired, if it is an `E`. A reason
    /// given as a string has no type of its own: it is read as text, from [`Cause::Reason`] or the message.
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

/// Errors are equal when they report the same cancel.
impl PartialEq for CancellationError {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.original().0, &other.original().0)
    }
}

impl Eq for CancellationError {}

impl Error for CancellationError {
    /// The source of the reason, if there is one. The reason itself is part of the message. If the reason is another
    /// token's error, this is the source of the last reason in the chain.
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.innermost().0.reason()?.as_error().source()
    }
}

impl CancellationError {
    /// Follows reasons that are errors of other tokens: with a loop, since they nest to any depth.
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

/// A message for end users: lowercase, on one line, without a full stop. The token's name comes first, if it has one.
/// A reason comes last, as it prints itself. If the reason is another token's error, the message ends with that error's
/// message; of a longer chain only the first and the last error are shown.
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
    /// The message without the reason.
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

/// The message, since a `main` that returns a `Result` prints this. `{:#?}` adds the fields.
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

/// [`io::ErrorKind::TimedOut`] for deadlines, [`io::ErrorKind::Other`] for everything else; never `Interrupted`,
/// which the standard library's readers take as an invitation to try again. The error itself is inside and can be
/// downcast.
impl From<CancellationError> for io::Error {
    fn from(error: CancellationError) -> Self {
        let kind = match error.cause() {
            Cause::Timeout { .. } | Cause::Idle { .. } => io::ErrorKind::TimedOut,
            _ => io::ErrorKind::Other,
        };
        io::Error::new(kind, error)
    }
}
