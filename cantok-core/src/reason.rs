use crate::sync::Arc;
use std::error::Error;
use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};

/// The reason given to [`Token::cancel_with`](crate::Token::cancel_with). Every error that reports it shares it.
///
/// `Display` and `Debug` are the reason's own. If the reason is another token's
/// [`CancellationError`](crate::CancellationError), `Debug` is its message in quotes. Two reasons are equal if they are the
/// same object.
#[derive(Clone)]
pub struct Reason(Arc<dyn Error + Send + Sync + 'static>);

// As for `CancellationError`: it is only read, through shared references.
impl UnwindSafe for Reason {}
impl RefUnwindSafe for Reason {}

impl Reason {
    /// Makes a reason for a [`Cause`](crate::Cause): a string or an error.
    ///
    /// Pass the error itself, not a box with it, so that it can be downcast.
    pub fn new(reason: impl Into<Box<dyn Error + Send + Sync + 'static>>) -> Self {
        Reason(reason.into().into())
    }

    /// Returns the reason as an error, to read its sources or to downcast it.
    pub fn as_error(&self) -> &(dyn Error + Send + Sync + 'static) {
        &*self.0
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl PartialEq for Reason {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Reason {}
