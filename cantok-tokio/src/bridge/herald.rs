//! A token that is cancelled by a future without a task: whoever wakes the future cancels the token.
//!
//! # Invariants
//!
//! 1. The future is polled once, when the token is made, and wakes its waker when it is ready and not before. That
//!    holds for those of tokio that are used here, outside of tokio's budget (`unconstrained`), which would have them
//!    wake themselves.
//! 2. The token owns the future (it is attached), the future owns the waker, and the waker refers weakly to the token.
//!    So the future is dropped with the token, and with it the waker.
//! 3. No panic leaves the waker: whoever wakes has others to wake.

use crate::panic::swallow;
use cantok_core::adapter::{TokenAdapterExt as _, WeakToken};
use cantok_core::{SimpleToken, Token};
use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};
use tokio::task::coop::unconstrained;

struct Herald<C> {
    token: WeakToken,
    cancel: C,
}

impl<C: Fn(&Token) + Send + Sync> Wake for Herald<C> {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // The token may go with this, and what is attached to it.
        swallow(|| {
            if let Some(token) = self.token.upgrade() {
                (self.cancel)(&token);
            }
        });
    }
}

/// A token that `cancel` is called with when the future is ready, by whoever wakes it.
pub(crate) fn token_of<F, C>(future: F, cancel: C) -> Token
where
    F: Future<Output: 'static> + Send + Sync + 'static,
    C: Fn(&Token) + Send + Sync + 'static,
{
    let token = Token::from(SimpleToken::new());
    let herald = Arc::new(Herald {
        token: token.downgrade(),
        cancel,
    });
    let waker = Waker::from(Arc::clone(&herald));
    let mut future = Box::pin(unconstrained(future));
    if future
        .as_mut()
        .poll(&mut Context::from_waker(&waker))
        .is_ready()
    {
        (herald.cancel)(&token);
    } else {
        token.attach(future);
    }
    token
}
