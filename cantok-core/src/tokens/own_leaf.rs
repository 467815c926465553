//! The leaf behind a typed token: to read it, and to configure it while nobody else can see it.

use crate::Token;
use crate::node::{Leaf, Sources};
use crate::sync::Arc;

/// The leaf that a typed token was made with. A handle never outlives it: absorbing takes the handle.
pub(super) fn own_leaf<T: Leaf>(token: &Token) -> &T {
    match token.node().sources().own_leaf() {
        Some(leaf) => leaf,
        None => unreachable!("a typed token's node holds its leaf"),
    }
}

/// Changes the leaf of a token that has one handle.
///
/// # Panics
///
/// If there is a second handle, naming the builder.
pub(super) fn configure<T: Leaf>(token: &mut Token, builder: &str, change: impl FnOnce(&mut T)) {
    let settled = token.node().is_marked() && Arc::strong_count(token.node()) == 1;
    let unique = Arc::get_mut(token.node_mut())
        .map(|node| node.sources_mut())
        .and_then(Sources::own_leaf_mut);
    match unique {
        Some(leaf) => change(leaf),
        // Its error knows the token, and nothing can change it any more.
        None if settled => {}
        None => panic!(
            "`{builder}` configures a token before it is shared, but this token has a second handle \
             (a clone, a sum, a child, a guard or a registration)"
        ),
    }
}
