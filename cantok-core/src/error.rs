use crate::later::drop_nested;
use crate::node::Node;
use crate::sync::{Arc, Weak};
use crate::{Cause, Token};
use std::error::Error;
use std::panic::{RefUnwindSafe, UnwindSafe};
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
    name: Option<Arc<str>>,
    /// Weak, so that an error keeps no token alive, and so that the node's address is not used again while
    /// somebody may still ask [`CancellationError::is_from`].
    origin: Weak<Node>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        // Which may be another token's error, and so on.
        if let Cause::Reason(reason) = std::mem::replace(&mut self.cause, Cause::Cancelled) {
            drop_nested(reason);
        }
    }
}

// A reason may hold any error, whose unwind safety is not known; it is only ever read through a shared reference
// that its owner already shares between threads (`Sync`), so a panic elsewhere cannot leave it torn by us.
impl UnwindSafe for CancellationError {}
impl RefUnwindSafe for CancellationError {}

impl CancellationError {
    pub(crate) fn new(cause: Cause, name: Option<Arc<str>>, origin: &Arc<Node>) -> Self {
        CancellationError(Arc::new(Inner {
            cause,
            name,
            origin: Arc::downgrade(origin),
        }))
    }

    /// What happened.
    pub fn cause(&self) -> &Cause {
        &self.0.cause
    }

    /// Whether `token` is the very token that fired, however many sums and children lie between it and the token
    /// that reported this error. A token that was absorbed into a sum (see [`Token::any`]) fires as that sum.
    pub fn is_from(&self, token: &Token) -> bool {
        self.is_from_node(token.node())
    }

    /// [`CancellationError::is_from`] for a node.
    pub(crate) fn is_from_node(&self, node: &Arc<Node>) -> bool {
        std::ptr::eq(self.0.origin.as_ptr(), Arc::as_ptr(node))
    }

    /// The name of the token that fired, if it had one when it fired.
    pub fn name(&self) -> Option<&str> {
        self.0.name.as_deref()
    }

    /// The reason given to [`Token::cancel_with`], if it is an `E`. A reason given as a string has no type of its
    /// own: it is read as text, from [`Cause::Reason`].
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
        match self.cause() {
            Cause::Reason(reason) => reason.as_error().downcast_ref(),
            _ => None,
        }
    }
}

/// Errors are equal when they report the same cancel.
impl PartialEq for CancellationError {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for CancellationError {}

impl Error for CancellationError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self.cause() {
            Cause::Reason(reason) => Some(reason.as_error()),
            _ => None,
        }
    }
}

impl fmt::Display for CancellationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(name) = self.name() {
            write!(f, "{name}: ")?;
        }
        match self.cause() {
            Cause::Cancelled | Cause::Reason(_) => f.write_str("the token was cancelled"),
            Cause::Condition => f.write_str("the cancellation condition was satisfied"),
            Cause::Timeout { after } => write!(f, "the timeout of {after:?} has expired"),
            Cause::Counter { limit } => write!(f, "the counter of {limit} checks is used up"),
        }
    }
}

impl fmt::Debug for CancellationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("CancellationError");
        debug.field("cause", self.cause());
        if let Some(name) = self.name() {
            debug.field("name", &name);
        }
        debug.finish()
    }
}

/// [`io::ErrorKind::TimedOut`] for deadlines, [`io::ErrorKind::Other`] for everything else; never `Interrupted`,
/// which the standard library's readers take as an invitation to try again. The error itself is inside and can be
/// downcast.
impl From<CancellationError> for io::Error {
    fn from(error: CancellationError) -> Self {
        let kind = match error.cause() {
            Cause::Timeout { .. } => io::ErrorKind::TimedOut,
            _ => io::ErrorKind::Other,
        };
        io::Error::new(kind, error)
    }
}
