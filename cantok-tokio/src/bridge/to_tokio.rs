use cantok_core::{Subscription, Token};
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// A token of tokio-util that is cancelled with a token of ours. Made by [`to_tokio`](crate::TokenExt::to_tokio).
///
/// It dereferences to a [`CancellationToken`], which works like any other: its children, clones, guards and futures are
/// cancelled with it.
///
/// # Guarantees
///
/// When a `cancel()` of our token, or of one that it derives from, returns, the token of tokio-util is cancelled, and
/// its tasks are woken, on the thread that cancelled. Where a deadline or a condition does it, that is a thread of
/// `cantok-core`. A counter cancels it when its last unit is spent, as it does for all who wait. If our token is
/// cancelled already, so is this one from the beginning. Cancelling the token of tokio-util leaves ours alone.
///
/// **The bridge ends when this and all its clones are dropped**, and with that it keeps our token no longer: tokens of
/// tokio-util that were derived from it are then cancelled by nobody but their own `cancel()`. So keep this for as long
/// as those are to be cancelled. No task is needed, and no runtime.
///
/// # Examples
///
/// ```
/// use cantok_core::SimpleToken;
/// use cantok_tokio::prelude::*;
///
/// let token = SimpleToken::new();
/// let bridge = token.to_tokio();
/// let child = bridge.child_token();
/// token.cancel();
/// assert!(bridge.is_cancelled() && child.is_cancelled());
/// ```
///
/// A bridge that is dropped at once is none:
///
/// ```
/// use cantok_core::SimpleToken;
/// use cantok_tokio::prelude::*;
///
/// let token = SimpleToken::new();
/// let child = token.to_tokio().child_token();
/// token.cancel();
/// assert!(!child.is_cancelled());
/// ```
#[derive(Clone)]
#[must_use = "the bridge ends when this is dropped"]
pub struct TokioToken {
    token: CancellationToken,
    _subscription: Arc<Subscription>,
}

impl TokioToken {
    pub(crate) fn new(source: &Token) -> Self {
        let token = CancellationToken::new();
        let subscription = source.subscribe({
            let token = token.clone();
            move |_| token.cancel()
        });
        TokioToken {
            token,
            _subscription: Arc::new(subscription),
        }
    }
}

impl Deref for TokioToken {
    type Target = CancellationToken;

    fn deref(&self) -> &CancellationToken {
        &self.token
    }
}

impl fmt::Debug for TokioToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TokioToken").field(&self.token).finish()
    }
}
