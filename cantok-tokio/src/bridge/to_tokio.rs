use cantok_core::Token;
use cantok_core::adapter::{TokenAdapterExt as _, WakerRegistration};
use std::fmt;
use std::mem;
use std::ops::Deref;
use std::sync::{Arc, Mutex};
use std::task::{Wake, Waker};
use tokio_util::sync::CancellationToken;

/// A token of tokio-util that is cancelled with a cantok token. Made by [`to_tokio`](crate::TokenExt::to_tokio).
///
/// It dereferences to a [`CancellationToken`], whose children, clones, guards and futures are cancelled with it.
///
/// # Guarantees
///
/// - When the `cancel()` of the cantok token or of one of its sources returns, tokio-util's token is cancelled and its
///   tasks are woken. This happens on the cancelling thread, before callbacks run. A concurrent second `cancel` may
///   return sooner. Deadlines and conditions cancel it from a thread of `cantok-core`, and a counter by the check that
///   it refuses.
/// - If the cantok token is already cancelled, so is this one from the start.
/// - Cancelling tokio-util's token does not cancel the cantok token.
/// - **The bridge ends when this and all its clones are dropped.** After that, only their own `cancel()` cancels tokens
///   of tokio-util that derive from it. Keep this as long as those must be cancelled, or [detach](TokioToken::detach)
///   it.
///
/// Do not [attach](cantok_core::adapter::TokenAdapterExt::attach) it to the cantok token. It keeps that token alive, so
/// both would leak.
///
/// # Limits
///
/// A chain of bridges there and back, `token.to_tokio().to_cantok().to_tokio()` and so on, is cancelled by nested
/// calls. 500 there and back fit on a stack of 2 MiB, the default of a thread, even without optimisation. Some thousand
/// overflow it.
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
/// A bridge that is dropped at once has no effect:
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
///
/// # Cost
///
/// A registered waker. No runtime and no task is needed.
#[derive(Clone)]
#[must_use = "the bridge ends when this is dropped"]
pub struct TokioToken {
    token: CancellationToken,
    /// `None` once detached.
    registration: Arc<Mutex<Option<WakerRegistration>>>,
}

/// Cancels when it is woken. A waker, because a cancel calls wakers before callbacks, which may block.
struct Cancels(CancellationToken);

impl Cancels {
    fn waker(token: &CancellationToken) -> Waker {
        Waker::from(Arc::new(Cancels(token.clone())))
    }
}

impl Wake for Cancels {
    fn wake(self: Arc<Self>) {
        self.0.cancel();
    }
}

impl TokioToken {
    pub(crate) fn new(source: &Token) -> Self {
        let token = CancellationToken::new();
        let registration = source.register_owned(&Cancels::waker(&token));
        TokioToken {
            token,
            registration: Arc::new(Mutex::new(Some(registration))),
        }
    }

    /// Returns the token of tokio-util, with a bridge that lasts as long as the cantok token and everything derived
    /// from it.
    ///
    /// Use it for a library that takes a `CancellationToken` by value and keeps it.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::SimpleToken;
    /// use cantok_tokio::prelude::*;
    ///
    /// let token = SimpleToken::new();
    /// let detached = token.to_tokio().detach();
    /// token.cancel();
    /// assert!(detached.is_cancelled());
    /// ```
    #[must_use = "the token of tokio-util is given back"]
    pub fn detach(self) -> CancellationToken {
        // No user code runs under this lock, so it is not poisoned.
        let registration = self.registration.lock().map(|mut place| place.take());
        if let Ok(Some(registration)) = registration {
            // A borrowing registration owns nothing, so forgetting it leaks nothing. The waker stays for as long as the
            // token lives.
            mem::forget(registration.token().register(&Cancels::waker(&self.token)));
        }
        self.token
    }
}

impl Deref for TokioToken {
    type Target = CancellationToken;

    fn deref(&self) -> &CancellationToken {
        &self.token
    }
}

impl AsRef<CancellationToken> for TokioToken {
    fn as_ref(&self) -> &CancellationToken {
        self
    }
}

impl fmt::Debug for TokioToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TokioToken").field(&self.token).finish()
    }
}
