//! What is made and dropped again.

use crate::calls::{Contender, call};
use cantok_core::{ConditionToken, CounterToken, SimpleToken, TimeoutToken};
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

const HOUR: Duration = Duration::from_secs(3600);

/// Children and clones.
pub(crate) fn created() -> Vec<Contender> {
    let (tokio, token) = (CancellationToken::new(), SimpleToken::new());
    let (other_tokio, other) = (tokio.clone(), token.clone());
    let arc = Arc::new(AtomicBool::new(false));
    vec![
        call("child, peer: tokio-util", move || tokio.child_token()),
        call("child", move || token.child()),
        call("clone, limit: Arc", move || Arc::clone(&arc)),
        call("clone, peer: tokio-util", move || other_tokio.clone()),
        call("clone", move || other.clone()),
    ]
}

/// What a program would pass around without this library. Nothing reads it here.
struct HandWritten {
    _parent: Option<Arc<HandWritten>>,
    _cancelled: AtomicBool,
    _units: AtomicU64,
    _deadline: Option<Instant>,
}

impl HandWritten {
    fn new(parent: Option<Arc<HandWritten>>, deadline: Option<Instant>) -> Arc<Self> {
        Arc::new(HandWritten {
            _parent: parent,
            _cancelled: AtomicBool::new(false),
            _units: AtomicU64::new(1000),
            _deadline: deadline,
        })
    }
}

/// Tokens with a deadline, alone and in sums.
pub(crate) fn deadlines() -> Vec<Contender> {
    let (parent, root) = (HandWritten::new(None, None), SimpleToken::new());
    vec![
        call("limit: hand-written Arc", move || {
            let deadline = Instant::now() + black_box(HOUR);
            HandWritten::new(Some(Arc::clone(&parent)), Some(deadline))
        }),
        call("timeout", || TimeoutToken::new(black_box(HOUR))),
        call("root and timeout", move || {
            &root + TimeoutToken::new(black_box(HOUR))
        }),
        call("quick start", || {
            SimpleToken::new()
                + ConditionToken::new(|| black_box(0_u64) == 1984)
                + CounterToken::new(black_box(1000))
                + TimeoutToken::new(black_box(HOUR))
        }),
    ]
}

/// Tokens with a counter, alone and in a sum.
pub(crate) fn counters() -> Vec<Contender> {
    let (parent, root) = (HandWritten::new(None, None), SimpleToken::new());
    vec![
        call("limit: hand-written Arc", move || {
            HandWritten::new(Some(Arc::clone(&parent)), None)
        }),
        call("counter", || CounterToken::new(black_box(1000))),
        call("root and counter", move || {
            &root + CounterToken::new(black_box(1000))
        }),
    ]
}

/// Tokens that are cancelled before they are dropped.
pub(crate) fn cancelled() -> Vec<Contender> {
    vec![
        // An error knows its instant, which tokio-util's token does not.
        call("peer: tokio-util and a clock read", || {
            let token = CancellationToken::new();
            token.cancel();
            (token, Instant::now())
        }),
        call("simple", || {
            let token = SimpleToken::new();
            token.cancel();
            token
        }),
    ]
}
