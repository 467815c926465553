use crate::Token;
use crate::node::Node;
use std::error::Error;
use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

/// The token that is never cancelled. Pass it to a function that takes a token when nothing is to stop it.
///
/// It disappears in a sum. It has no state: every `DefaultToken` is [`Token::never`].
///
/// # Examples
///
/// ```
/// use cantok_core::{DefaultToken, Token};
///
/// fn work(token: impl Into<Token>) -> bool {
///     token.into().keep_on()
/// }
///
/// assert!(work(DefaultToken));
/// let refused = DefaultToken.cancel().unwrap_err();
/// assert_eq!(refused.to_string(), "a default token cannot be cancelled");
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct DefaultToken;

impl DefaultToken {
    /// Returns the token that is never cancelled.
    #[must_use]
    pub const fn new() -> Self {
        DefaultToken
    }

    /// Always fails, since a default token cannot be cancelled.
    ///
    /// # Errors
    ///
    /// Returns [`ImpossibleCancelError`], always.
    pub fn cancel(&self) -> Result<(), ImpossibleCancelError> {
        Err(ImpossibleCancelError(()))
    }

    /// Makes a token with that name, which is never cancelled either.
    #[must_use]
    pub fn named(self, name: impl Into<Arc<str>>) -> Token {
        Token::from(self).named(name)
    }
}

impl Deref for DefaultToken {
    type Target = Token;

    fn deref(&self) -> &Token {
        static NEVER: OnceLock<Token> = OnceLock::new();
        NEVER.get_or_init(|| Token::from_node(Node::never()))
    }
}

impl Token {
    /// Returns the token that cannot be cancelled.
    ///
    /// It disappears in a sum. All calls return the same token; [`named`](Token::named) makes a token of its own.
    /// [`DefaultToken`] is the same token with its own type.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::Token;
    ///
    /// let token = Token::never();
    /// assert!(!token.can_be_cancelled());
    /// assert!(!token.cancel());
    /// assert!(token.keep_on());
    /// ```
    pub fn never() -> Self {
        Token::clone(&DefaultToken)
    }
}

/// Returns [`Token::never`].
impl Default for Token {
    fn default() -> Self {
        Token::never()
    }
}

impl From<DefaultToken> for Token {
    fn from(_: DefaultToken) -> Self {
        Token::never()
    }
}

impl From<&DefaultToken> for Token {
    fn from(_: &DefaultToken) -> Self {
        Token::never()
    }
}

operators!(DefaultToken);

impl fmt::Debug for DefaultToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DefaultToken")
    }
}

impl fmt::Display for DefaultToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DefaultToken (not cancelled)")
    }
}

/// The error of [`DefaultToken::cancel`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImpossibleCancelError(());

impl fmt::Display for ImpossibleCancelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a default token cannot be cancelled")
    }
}

impl Error for ImpossibleCancelError {}
