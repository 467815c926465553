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

impl Token {
    /// Makes a token that is cancelled with this one, and can be cancelled without it.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::SimpleToken;
    ///
    /// let server = SimpleToken::new();
    /// let request = server.child();
    /// request.cancel();
    /// assert!(server.keep_on());
    ///
    /// let request = server.child();
    /// server.cancel();
    /// assert!(request.is_cancelled());
    /// ```
    ///
    /// # Panics
    ///
    /// As [`any`](Token::any).
    pub fn child(&self) -> SimpleToken {
        SimpleToken {
            token: Token::from_node(Node::child_of(self.node())),
        }
    }
}

impl SimpleToken {
    /// Makes a token that is not cancelled.
    #[must_use]
    pub fn new() -> Self {
        SimpleToken {
            token: Token::from_node(Node::flag()),
        }
    }
}

impl Default for SimpleToken {
    fn default() -> Self {
        SimpleToken::new()
    }
}
