use crate::CancellationError;
use crate::sync::Arc;
use std::error::Error;
use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};

/// The reason that was given to [`Token::cancel_with`](crate::Token::cancel_with). Every error that reports it shares
/// it.
///
/// `Display` and `Debug` are the reason's own; a reason that is itself a [`CancellationError`] is shown by its message,
/// not with its own reason inside. Two reasons are equal when they are the same object.
#[derive(Clone)]
pub struct Reason(Arc<dyn Error + Send + Sync + 'static>);

// As for `CancellationError`: read through shared references only.
impl UnwindSafe for Reason {}
impl RefUnwindSafe for Reason {}

impl Reason {
    /// A reason for a [`Cause`](crate::Cause): a string or an error. Pass the error itself, not a box with it, to be able
    /// to downcast it.
    pub fn new(reason: impl Into<Box<dyn Error + Send + Sync + 'static>>) -> Self {
        Reason(reason.into().into())
    }

    /// The reason as an error, to read its sources or to downcast it.
    pub fn as_error(&self) -> &(dyn Error + Send + Sync + 'static) {
        &*self.0
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // There is no end to how deep errors of tokens can be nested.
        match self.0.downcast_ref::<CancellationError>() {
            Some(error) => write!(f, "{:?}", error.to_string()),
            None => fmt::Debug::fmt(&self.0, f),
        }
    }
}

impl PartialEq for Reason {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Reason {}
