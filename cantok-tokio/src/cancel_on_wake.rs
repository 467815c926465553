//! A token that a future cancels without a task: waking the future cancels the token.
//!
//! # Invariants
//!
//! 1. The future is polled once, when the token is made. It wakes its waker when it is ready, and not before. That
//!    holds for the futures of tokio used here, outside of tokio's budget (`unconstrained`): with an exhausted budget
//!    they would wake themselves.
//! 2. The token owns the future (attached), the future owns the waker, and the waker refers weakly to the token. So the
//!    future and its waker are dropped with the token.
//! 3. No panic leaves the waker: the waking thread has other tasks to wake.

use crate::panic::swallow;
use cantok_core::adapter::{TokenAdapterExt as _, WeakToken};
use cantok_core::{SimpleToken, Token};
use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};
#[allow(deprecated, reason = "its new place needs tokio 1.44")]
use tokio::task::unconstrained;

struct CancelOnWake<C> {
    token: WeakToken,
    cancel: C,
}

impl<C: Fn(&Token) + Send + Sync> Wake for CancelOnWake<C> {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Inside `swallow`, because this may drop the last handle of the token, and with it the future.
        swallow(|| {
            if let Some(token) = self.token.upgrade() {
                (self.cancel)(&token);
            }
        });
    }
}

/// Returns a token, and calls `cancel` with it when the future is ready, on the thread that wakes it.
pub(crate) fn token_of<F, C>(future: F, cancel: C) -> Token
where
    F: Future<Output: 'static> + Send + Sync + 'static,
    C: Fn(&Token) + Send + Sync + 'static,
{
    let token = Token::from(SimpleToken::new());
    let on_wake = Arc::new(CancelOnWake {
        token: token.downgrade(),
        cancel,
    });
    let waker = Waker::from(Arc::clone(&on_wake));
    let mut future = Box::pin(unconstrained(future));
    if future
        .as_mut()
        .poll(&mut Context::from_waker(&waker))
        .is_ready()
    {
        (on_wake.cancel)(&token);
    } else {
        token.attach(future);
    }
    token
}
