//! What is made and dropped again.

use crate::calls::{Contender, call};
use cantok_core::{SimpleToken, TimeoutToken};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

pub(crate) fn created() -> Vec<Contender> {
    let (tokio, token) = (CancellationToken::new(), SimpleToken::new());
    let (other_tokio, other) = (tokio.clone(), token.clone());
    let (root, arc) = (token.clone(), Arc::new(AtomicBool::new(false)));
    vec![
        call("child, peer: tokio-util", move || tokio.child_token()),
        call("child", move || token.child()),
        call("root and timeout", move || {
            &root + TimeoutToken::new(Duration::from_secs(3600))
        }),
        call("clone, limit: Arc", move || Arc::clone(&arc)),
        call("clone, peer: tokio-util", move || other_tokio.clone()),
        call("clone", move || other.clone()),
    ]
}
