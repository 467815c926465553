//! `cancelled()` polled once and dropped, as in each turn of a loop around a `select!`.

use crate::calls::{Contender, call};
use crate::check::armed;
use crate::future::poll;
use cantok_core::{SimpleToken, TimeoutToken};
use std::future::Future;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

fn wait(cancelled: impl Future) {
    assert!(poll(cancelled).is_pending());
}

/// All threads wait for one token.
pub(crate) fn contenders() -> Vec<Contender> {
    let (tokio, simple) = (CancellationToken::new(), SimpleToken::new());
    let root = SimpleToken::new();
    let sum = armed(&root + TimeoutToken::new(Duration::from_secs(3600)));
    vec![
        call("peer: tokio-util", move || wait(tokio.cancelled())),
        call("simple", move || wait(simple.cancelled())),
        call("root and timeout", move || {
            let _ = &root;
            wait(sum.cancelled());
        }),
    ]
}

/// Each wait is for a child of its own, made and dropped.
pub(crate) fn children() -> Vec<Contender> {
    let (tokio, root) = (CancellationToken::new(), SimpleToken::new());
    vec![
        call("peer: tokio-util", move || {
            wait(tokio.child_token().cancelled());
        }),
        call("child", move || wait(root.child().cancelled())),
    ]
}
