use crate::Token;
use crate::later::drop_nested;
use crate::node::{Kind, Node};
use crate::sync::Arc;
use std::borrow::Borrow;
use std::fmt;
use std::ptr;
use std::task::Waker;

/// The registration of at most one waker, which a token wakes when it is cancelled.
///
/// [`register`](super::TokenAdapterExt::register) makes one with a waker, [`new`](WakerRegistration::new) one without.
/// Every future of this crate and its siblings uses it. It owns its token or borrows it; borrowing saves the reference
/// count.
///
/// # Guarantees
///
/// - **No cancel is missed.** After [`register`](WakerRegistration::register) has returned `true`, a cancel wakes the
///   waker exactly once, unless the registration ends before.
/// - The waker is woken before the callbacks of the same cancel are called. By then everything derived from the
///   cancelled token is cancelled, and no lock of this crate is held.
/// - Dropping it unregisters the waker and never blocks. A concurrent cancel may still wake the waker.
///
/// # Examples
///
/// A future that is ready when the token is cancelled, as [`Token::cancelled`] is:
///
/// ```
/// use cantok_core::adapter::WakerRegistration;
/// use cantok_core::{CancellationError, SimpleToken, Token};
/// use std::future::Future;
/// use std::pin::Pin;
/// use std::task::{Context, Poll, Waker};
///
/// struct Cancelled(WakerRegistration<Token>);
///
/// impl Future for Cancelled {
///     type Output = CancellationError;
///
///     fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<CancellationError> {
///         if !self.0.token().peek_cancelled() && self.0.register(cx.waker()) {
///             return Poll::Pending;
///         }
///         Poll::Ready(self.0.token().cancellation().unwrap())
///     }
/// }
///
/// let token = SimpleToken::new();
/// let mut cancelled = Cancelled(WakerRegistration::new(token.clone().into()));
/// let mut cx = Context::from_waker(Waker::noop());
/// assert!(Pin::new(&mut cancelled).poll(&mut cx).is_pending());
/// token.cancel();
/// assert!(Pin::new(&mut cancelled).poll(&mut cx).is_ready());
/// ```
///
/// # Cost
///
/// Registering costs the same beside any number of others, and allocates nothing for a token's first waiter.
/// Registering the same waker again takes no lock.
///
/// The first waiter of a derived token registers that token with its sources, and its deadline with the timer, as 64
/// checks would. From then on a check of it is a load, plus its conditions and counters.
#[must_use = "dropping a registration takes the waker back at once"]
pub struct WakerRegistration<T: Borrow<Token> = Token> {
    token: T,
    place: Place,
}

/// The place of a waker among the waiters. Apart from how the token is held, so that it is compiled once.
struct Place {
    /// The key of the token's clone of the waker, or one of the two below.
    key: u32,
    waker: Identity,
}

#[cfg(target_pointer_width = "64")]
const _: () = assert!(size_of::<WakerRegistration>() == 24);

/// There is no waker.
const EMPTY: u32 = u32::MAX;
/// There will be no waker any more.
const ENDED: u32 = u32::MAX - 1;

/// What [`Waker::will_wake`] compares: two addresses of 48 bits each. In this size a waiting task of tokio's is 128
/// bytes smaller than one that keeps the waker itself.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Identity([u32; 3]);

impl Identity {
    /// No waker, since the address of a vtable is not zero.
    const NONE: Identity = Identity([0; 3]);

    /// `NONE` if an address does not fit, so that each poll registers again.
    fn of(waker: &Waker) -> Self {
        let data = waker.data().addr() as u64;
        let vtable = ptr::from_ref(waker.vtable()).addr() as u64;
        if (data | vtable) >> 48 != 0 {
            return Identity::NONE;
        }
        let high = (data >> 32) << 16 | vtable >> 32;
        Identity([data as u32, vtable as u32, high as u32])
    }

    /// The identity for later polls while `kept`, a clone of `polled`, is registered.
    ///
    /// Later polls bring the original. Its vtable may have another address than the clone's, since the compiler may
    /// copy a vtable, as for tokio's `block_on`. Comparing with the original is sound if the clone has the same data,
    /// which it keeps alive. Other data may be freed and used again.
    fn of_kept(kept: &Waker, polled: &Waker) -> Self {
        let is_shared = kept.data() == polled.data();
        Identity::of(if is_shared { polled } else { kept })
    }

    fn is_of(self, waker: &Waker) -> bool {
        self != Identity::NONE && self == Identity::of(waker)
    }
}

impl<T: Borrow<Token>> WakerRegistration<T> {
    /// Makes a registration without a waker.
    pub const fn new(token: T) -> Self {
        WakerRegistration {
            token,
            place: Place {
                key: EMPTY,
                waker: Identity::NONE,
            },
        }
    }

    /// Makes a registration with that waker, which is woken at once if the token is cancelled.
    pub(crate) fn of(token: T, waker: &Waker) -> Self {
        let mut registration = WakerRegistration::new(token);
        if registration.token().peek_cancelled() || !registration.register(waker) {
            // A registration fails if an operand is cancelled. The token is marked before its waker is woken.
            registration.token().node().cancellation();
            waker.wake_by_ref();
        }
        registration
    }

    /// Returns the token.
    pub fn token(&self) -> &Token {
        self.token.borrow()
    }

    /// Returns `true` if a waker is registered, or was until the token's cancel woke it.
    #[inline]
    pub fn is_registered(&self) -> bool {
        self.place.key().is_some()
    }

    /// Registers `waker`, in place of an earlier one. Returns `false` if the token is cancelled.
    ///
    /// This reads no clock. It is for operations that have just checked the token; a deadline that has passed since
    /// then wakes the waker.
    ///
    /// # Panics
    ///
    /// If the token has a deadline or a condition and the operating system refuses a thread that it needs, as
    /// [`std::thread::spawn`] does.
    pub fn register(&mut self, waker: &Waker) -> bool {
        self.place.register(self.token.borrow().node(), waker)
    }

    /// Unregisters the waker.
    #[inline]
    pub fn clear(&mut self) {
        if let Some(key) = self.place.take_key() {
            unregister(self.token().node(), key);
        }
    }

    /// Unregisters the waker for good.
    pub(crate) fn end(&mut self) {
        self.clear();
        self.place.key = ENDED;
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.place.key == ENDED
    }
}

impl Place {
    fn register(&mut self, node: &Arc<Node>, waker: &Waker) -> bool {
        if node.is_marked() {
            return false;
        }
        if self.waker.is_of(waker) {
            return true;
        }
        let kept = waker.clone();
        let identity = Identity::of_kept(&kept, waker);
        let before = self.key();
        let is_pending = match node.register(kept) {
            Ok(key) => {
                self.key = key;
                self.waker = identity;
                true
            }
            Err(kept) => {
                self.forget();
                drop_nested(kept);
                node.kind() == Kind::Never
            }
        };
        // The earlier waker goes last, so that conditions are polled without a gap.
        if let Some(key) = before {
            unregister(node, key);
        }
        is_pending
    }

    #[inline]
    fn take_key(&mut self) -> Option<u32> {
        let key = self.key()?;
        self.forget();
        Some(key)
    }

    #[inline]
    fn key(&self) -> Option<u32> {
        (self.key < ENDED).then_some(self.key)
    }

    #[inline]
    fn forget(&mut self) {
        self.key = EMPTY;
        self.waker = Identity::NONE;
    }
}

#[inline(never)]
fn unregister(node: &Node, key: u32) {
    // It may be a task's last handle.
    if let Some(waker) = node.unregister_unless_notified(key) {
        drop_nested(waker);
    }
}

impl<T: Borrow<Token>> Drop for WakerRegistration<T> {
    #[inline]
    fn drop(&mut self) {
        self.clear();
    }
}

impl<T: Borrow<Token>> fmt::Debug for WakerRegistration<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WakerRegistration")
            .field("token", self.token())
            .field("is_registered", &self.is_registered())
            .finish()
    }
}
