use cantok_core::Token;
use cantok_core::adapter::{TokenAdapterExt as _, WakerRegistration};
use std::fmt;
use std::mem;
use std::ops::Deref;
use std::sync::{Arc, Mutex};
use std::task::{Wake, Waker};
use tokio_util::sync::CancellationToken;

/// A token of tokio-util that is cancelled with a token of ours. Made by [`to_tokio`](crate::TokenExt::to_tokio).
///
/// It dereferences to a [`CancellationToken`], whose children, clones, guards and futures are cancelled with it.
///
/// # Guarantees
///
/// - When the `cancel()` of our token or of one of its sources returns, tokio-util's token is cancelled and its tasks
///   are woken. This happens on the thread that cancels, before callbacks run. A concurrent second `cancel` may return
///   sooner. Deadlines and conditions cancel it from a thread of `cantok-core`, and a counter by the check that it
///   refuses.
/// - If our token is already cancelled, so is this one from the start.
/// - Cancelling tokio-util's token leaves ours alone.
/// - **The bridge ends when this and all its clones are dropped.** Tokens of tokio-util that were derived from it are
///   then cancelled by their own `cancel()` alone. Keep this as long as those are to be cancelled, or
///   [detach](TokioToken::detach) it. (Do not [attach](cantok_core::adapter::TokenAdapterExt::attach) it to our token:
///   it keeps that, and both would stay for ever.)
///
/// It needs no runtime and no task.
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
    /// `None` once it is detached.
    registration: Arc<Mutex<Option<WakerRegistration>>>,
}

/// Cancels when it is woken. Wakers come before callbacks, which may block.
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

    /// The token of tokio-util, with a bridge that lasts as long as our token and everything derived from it. For a
    /// library that takes a `CancellationToken` by value and keeps it.
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
            // A registration that borrows its token owns nothing. Forgotten, it leaves the waker where it is for as
            // long as the token lives.
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
