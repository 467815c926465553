use cantok_core::Token;
use std::ops::Deref;

/// The token of a request, in its extensions.
///
/// [`TokenLayer`](crate::TokenLayer) inserts it, and [`PropagateLayer`](crate::PropagateLayer) reads it.
///
/// It dereferences to [`Token`] and converts into one. With the feature `axum` it is an extractor, which responds with
/// [500](http::StatusCode::INTERNAL_SERVER_ERROR) if there is no `TokenLayer`.
///
/// # Examples
///
/// ```
/// use cantok_core::SimpleToken;
/// use cantok_tower::RequestToken;
///
/// let token = SimpleToken::new();
/// let request = RequestToken::new(&token);
/// assert!(request.keep_on());
/// token.cancel();
/// assert!(request.is_cancelled());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RequestToken(Token);

impl RequestToken {
    /// Makes one for a request of your own, for example in a test.
    pub fn new(token: impl Into<Token>) -> Self {
        RequestToken(token.into())
    }
}

impl Deref for RequestToken {
    type Target = Token;

    fn deref(&self) -> &Token {
        &self.0
    }
}

impl From<RequestToken> for Token {
    fn from(token: RequestToken) -> Self {
        token.0
    }
}

impl From<&RequestToken> for Token {
    fn from(token: &RequestToken) -> Self {
        token.0.clone()
    }
}

#[cfg(feature = "axum")]
mod extractor {
    use super::RequestToken;
    use axum_core::extract::FromRequestParts;
    use axum_core::response::{IntoResponse, Response};
    use http::StatusCode;
    use http::request::Parts;
    use std::error::Error;
    use std::fmt;

    /// A handler extracts a [`RequestToken`], but has no [`TokenLayer`](crate::TokenLayer) around it. Needs the feature
    /// `axum`.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct MissingTokenLayer;

    impl fmt::Display for MissingTokenLayer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("no TokenLayer around this handler")
        }
    }

    impl Error for MissingTokenLayer {}

    impl IntoResponse for MissingTokenLayer {
        fn into_response(self) -> Response {
            (StatusCode::INTERNAL_SERVER_ERROR, self.to_string()).into_response()
        }
    }

    impl<S: Sync> FromRequestParts<S> for RequestToken {
        type Rejection = MissingTokenLayer;

        async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, MissingTokenLayer> {
            parts.extensions.get().cloned().ok_or(MissingTokenLayer)
        }
    }
}

#[cfg(feature = "axum")]
pub use extractor::MissingTokenLayer;
