use std::error::Error;
use std::fmt;

/// The reason for cancelling a request's token when its response is dropped before its end.
///
/// Either the client has closed the connection or reset the stream, or an outer layer has dropped the response.
///
/// # Examples
///
/// ```
/// use cantok_core::SimpleToken;
/// use cantok_tower::ClientGone;
///
/// let token = SimpleToken::new();
/// token.cancel_with(ClientGone); // as the layer does
/// let error = token.check().unwrap_err();
/// assert!(error.reason::<ClientGone>().is_some());
/// assert_eq!(error.to_string(), "cancelled: the client is gone");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientGone;

impl fmt::Display for ClientGone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the client is gone")
    }
}

impl Error for ClientGone {}
