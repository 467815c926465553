use crate::RequestToken;
use cantok_core::Token;
use http::{Extensions, Request};

/// `token` and `with_token` for the requests of the crate `http`, and of tonic with the feature `tonic`.
///
/// # Examples
///
/// ```
/// use cantok_core::SimpleToken;
/// use cantok_tower::prelude::*;
/// use http::Request;
///
/// let token = SimpleToken::new();
/// let request = Request::new(()).with_token(&token);
/// assert_eq!(request.token(), *token);
/// assert!(!Request::new(()).token().can_be_cancelled());
/// ```
pub trait RequestTokenExt: sealed::Sealed + Sized {
    /// Returns the token of this request, or [`Token::never`] if it has none.
    ///
    /// A [`TokenLayer`](crate::TokenLayer) or [`with_token`](RequestTokenExt::with_token) gives it one.
    fn token(&self) -> Token {
        let token = self.request_extensions().get::<RequestToken>();
        token.map(Token::from).unwrap_or_default()
    }

    /// Gives this request a token, for a client with a [`PropagateLayer`](crate::PropagateLayer). It replaces the
    /// previous one.
    #[must_use]
    fn with_token(mut self, token: impl Into<Token>) -> Self {
        let token = RequestToken::new(token);
        self.request_extensions_mut().insert(token);
        self
    }
}

impl<T> RequestTokenExt for Request<T> {}

impl<T> sealed::Sealed for Request<T> {
    fn request_extensions(&self) -> &Extensions {
        self.extensions()
    }

    fn request_extensions_mut(&mut self) -> &mut Extensions {
        self.extensions_mut()
    }
}

#[cfg(feature = "tonic")]
impl<T> RequestTokenExt for tonic::Request<T> {}

#[cfg(feature = "tonic")]
impl<T> sealed::Sealed for tonic::Request<T> {
    fn request_extensions(&self) -> &Extensions {
        self.extensions()
    }

    fn request_extensions_mut(&mut self) -> &mut Extensions {
        self.extensions_mut()
    }
}

mod sealed {
    use http::Extensions;

    #[expect(unnameable_types, reason = "so that others cannot implement it")]
    pub trait Sealed {
        fn request_extensions(&self) -> &Extensions;
        fn request_extensions_mut(&mut self) -> &mut Extensions;
    }
}
