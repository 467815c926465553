use crate::Token;
use crate::node::Node;
use crate::sync::Weak;
use std::fmt;

/// A reference to a token that keeps neither the token nor what is [attached](super::TokenAdapterExt::attach) to it
/// alive. [`downgrade`](super::TokenAdapterExt::downgrade) makes it.
///
/// If an attached guard must know its token, keep weak references where the tokens are cancelled. Remove a reference
/// when its guard is dropped.
///
/// # Examples
///
/// ```
/// use cantok_core::SimpleToken;
/// use cantok_core::adapter::TokenAdapterExt as _;
///
/// let token = SimpleToken::new();
/// let weak = token.downgrade();
/// weak.upgrade().unwrap().cancel();
/// assert!(token.is_cancelled());
///
/// let child = token.child();
/// drop(token);
/// assert!(weak.upgrade().is_some()); // the child needs it
/// drop(child);
/// assert!(weak.upgrade().is_none());
/// ```
#[derive(Clone)]
pub struct WeakToken {
    node: Weak<Node>,
}

impl WeakToken {
    pub(crate) fn new(node: Weak<Node>) -> Self {
        WeakToken { node }
    }

    /// Returns the token, if something keeps it alive.
    ///
    /// A handle does, a derived token does, and so does a [detached](crate::Registration::detach) callback of a token
    /// with a deadline or a condition. The result counts like any other handle.
    pub fn upgrade(&self) -> Option<Token> {
        self.node.upgrade().map(Token::from_node)
    }
}

impl fmt::Debug for WeakToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(WeakToken)")
    }
}
