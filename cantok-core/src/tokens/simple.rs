use crate::Token;
use crate::node::Node;

/// A token that is cancelled by [`cancel`](Token::cancel).
///
/// # Examples
///
/// ```
/// use cantok_core::SimpleToken;
/// use std::thread;
///
/// let token = SimpleToken::new();
/// let worker = thread::spawn({
///     let token = token.clone();
///     move || while token.keep_on() {}
/// });
/// token.cancel();
/// worker.join().unwrap();
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SimpleToken {
    token: Token,
}

handle!(SimpleToken);

impl SimpleToken {
    /// Makes a token that is not cancelled.
    #[must_use]
    pub fn new() -> Self {
        SimpleToken::from_token(Token::from_node(Node::flag()))
    }

    pub(crate) fn from_token(token: Token) -> Self {
        SimpleToken { token }
    }
}

impl Default for SimpleToken {
    fn default() -> Self {
        SimpleToken::new()
    }
}
