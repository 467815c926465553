use cantok_core::CancellationError;
use std::error::Error;
use std::fmt;

type BoxError = Box<dyn Error + Send + Sync>;

/// Why a call or a body has failed: either its token has ended it, or it has failed by itself.
///
/// The message is that of the token's error, or that of the failure. With the feature `tonic`, tonic converts it into a
/// status: `DEADLINE_EXCEEDED` for deadlines, `CANCELLED` for other causes.
///
/// # Examples
///
/// ```
/// use cantok_core::{SimpleToken, Token};
/// use cantok_tower::{CallError, PropagateLayer, RequestTokenExt as _};
/// use http::{Request, Response};
/// use tower::{Layer as _, ServiceExt as _, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let token = SimpleToken::new();
/// let silent = service_fn(|_: Request<String>| std::future::pending::<Result<Response<String>, CallError>>());
/// let client = PropagateLayer::new().layer(silent);
///
/// token.cancel();
/// let request = Request::new(String::new()).with_token(&token);
/// let error = client.oneshot(request).await.unwrap_err();
/// assert!(error.cancellation().unwrap().is_from(&token));
/// # }
/// ```
#[derive(Debug)]
pub struct CallError(Kind);

#[derive(Debug)]
enum Kind {
    Cancelled {
        error: CancellationError,
        /// tonic searches for this among the sources of an error.
        #[cfg(feature = "tonic")]
        status: tonic::Status,
    },
    Failed(BoxError),
}

impl CallError {
    pub(crate) fn cancelled(error: CancellationError) -> Self {
        CallError(Kind::Cancelled {
            #[cfg(feature = "tonic")]
            status: status_of(&error),
            error,
        })
    }

    pub(crate) fn failed(error: impl Into<BoxError>) -> Self {
        CallError(Kind::Failed(error.into()))
    }

    /// Returns the error of the token, if the token has ended the call.
    pub fn cancellation(&self) -> Option<&CancellationError> {
        match &self.0 {
            Kind::Cancelled { error, .. } => Some(error),
            Kind::Failed(_) => None,
        }
    }

    /// Returns the error of the inner service or body, if it has failed by itself.
    ///
    /// # Errors
    ///
    /// The error of the token, if the token has ended the call.
    pub fn into_inner(self) -> Result<Box<dyn Error + Send + Sync>, CancellationError> {
        match self.0 {
            Kind::Cancelled { error, .. } => Err(error),
            Kind::Failed(error) => Ok(error),
        }
    }
}

#[cfg(feature = "tonic")]
fn status_of(error: &CancellationError) -> tonic::Status {
    match error.cause() {
        cantok_core::Cause::Timeout { .. } => tonic::Status::deadline_exceeded(error.to_string()),
        _ => tonic::Status::cancelled(error.to_string()),
    }
}

/// The error of a call that the token has ended. A handler needs this after it has waited for work under the token.
impl From<CancellationError> for CallError {
    fn from(error: CancellationError) -> Self {
        CallError::cancelled(error)
    }
}

#[cfg(feature = "tonic")]
impl From<CallError> for tonic::Status {
    fn from(error: CallError) -> Self {
        tonic::Status::from_error(error.into())
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Cancelled { error, .. } => error.fmt(f),
            Kind::Failed(_) => f.write_str("the call failed"),
        }
    }
}

impl Error for CallError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.0 {
            #[cfg(feature = "tonic")]
            Kind::Cancelled { status, .. } => Some(status),
            #[cfg(not(feature = "tonic"))]
            Kind::Cancelled { error, .. } => error.source(),
            Kind::Failed(error) => Some(&**error),
        }
    }
}

/// Finds the error of the token that has ended a call, in an error of any library.
///
/// It searches the error and its sources for a [`CallError`] or a [`CancellationError`].
///
/// # Examples
///
/// ```
/// use cantok_core::SimpleToken;
/// use cantok_tower::cancellation;
/// use std::io;
///
/// let token = SimpleToken::new();
/// token.cancel();
/// let error = io::Error::other(token.check().unwrap_err());
/// assert!(cancellation(&error).unwrap().is_from(&token));
/// assert!(cancellation(&io::Error::other("another one")).is_none());
/// ```
pub fn cancellation<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a CancellationError> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(error) = error.downcast_ref::<CancellationError>() {
            return Some(error);
        }
        if let Some(error) = error.downcast_ref::<CallError>() {
            if let Some(error) = error.cancellation() {
                return Some(error);
            }
        }
        // The error inside an I/O error is not its source.
        if let Some(inner) = error
            .downcast_ref::<std::io::Error>()
            .and_then(|error| error.get_ref())
        {
            next = Some(inner);
            continue;
        }
        next = error.source();
    }
    None
}
