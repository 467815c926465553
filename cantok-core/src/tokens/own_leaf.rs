//! The leaf behind a typed token: to read it, and to configure it while the token has one handle.

use crate::Token;
use crate::node::Leaf;
use crate::sync::Arc;

/// The leaf that a typed token was made with. A handle never outlives it: absorbing takes the handle.
pub(super) fn own_leaf<T: Leaf>(token: &Token) -> &T {
    match token.node().sources().own_leaf() {
        Some(leaf) => leaf,
        None => unreachable!("a typed token's node holds its leaf"),
    }
}

/// The leaf of a token that has one handle, for a builder.
///
/// # Panics
///
/// If there is a second handle, naming the builder.
#[track_caller]
pub(super) fn configured<'a, T: Leaf>(token: &'a Token, builder: &str) -> &'a T {
    assert!(
        Arc::strong_count(token.node()) == 1,
        "`{builder}` configures a token before it is shared, but this token has a second handle \
         (a clone, a sum, a child, a guard or a registration)"
    );
    own_leaf(token)
}
