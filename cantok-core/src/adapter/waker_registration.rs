use crate::Token;
use crate::later::drop_nested;
use crate::node::{Kind, Waiter};
use std::borrow::Borrow;
use std::fmt;
use std::ptr;
use std::task::Waker;

/// At most one waker that a token wakes when it is cancelled. Every future of this crate and its siblings is built on
/// it. Made by [`register`](super::TokenAdapterExt::register), or empty by [`new`](WakerRegistration::new).
///
/// It owns its token, or borrows it: borrowing spares the reference count.
///
/// # Guarantees
///
/// - **No cancel is missed.** After [`register`](WakerRegistration::register) has returned `true`, the waker is woken
///   exactly once when the token is cancelled, unless the registration ends before.
/// - The waker is woken before the callbacks of the same cancel are called. Everything derived from the cancelled token
///   answers cancelled by then, and no lock of this crate is held.
/// - Dropping it takes the waker back and never blocks. A cancel that is under way may still wake it.
/// - Registering costs the same beside any number of others, and allocates nothing for the first waiter of a token.
///   Registering the same waker again takes no lock.
///
/// The first waiter of a derived token registers that token with those that it derives from, and its deadline with the
/// timer, as 64 checks would. From then on a check of it only asks conditions and counters.
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
#[must_use = "dropping a registration takes the waker back at once"]
pub struct WakerRegistration<T: Borrow<Token> = Token> {
    token: T,
    /// The token holds a clone of the waker under this key, unless it is one of the two below.
    key: u32,
    waker: Identity,
}

#[cfg(target_pointer_width = "64")]
const _: () = assert!(size_of::<WakerRegistration>() == 24);

/// No waker.
const EMPTY: u32 = u32::MAX;
/// No waker any more.
const ENDED: u32 = u32::MAX - 1;

/// What [`Waker::will_wake`] compares: two addresses, of 48 bits each. In this size a waiting task of tokio's is 128 bytes
/// smaller than one that keeps the waker itself.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Identity([u32; 3]);

impl Identity {
    /// Of no waker: the address of a vtable is not zero.
    const NONE: Identity = Identity([0; 3]);

    /// `NONE` if an address does not fit, so that each poll registers anew.
    fn of(waker: &Waker) -> Self {
        let data = waker.data().addr() as u64;
        let vtable = ptr::from_ref(waker.vtable()).addr() as u64;
        if (data | vtable) >> 48 != 0 {
            return Identity::NONE;
        }
        let high = (data >> 32) << 16 | vtable >> 32;
        Identity([data as u32, vtable as u32, high as u32])
    }

    /// What the waker of a later poll is compared with while `kept`, a clone of `polled`, is kept.
    ///
    /// Later polls come with the original. Its vtable may stand at another address than that of its clone: the compiler
    /// makes a copy in each place that names one, as for tokio's `block_on`. Comparing with the original is sound if
    /// the clone has the same data, which it keeps from being used again. Other data may be.
    fn of_kept(kept: &Waker, polled: &Waker) -> Self {
        let is_shared = kept.data() == polled.data();
        Identity::of(if is_shared { polled } else { kept })
    }

    fn is_of(self, waker: &Waker) -> bool {
        self != Identity::NONE && self == Identity::of(waker)
    }
}

impl<T: Borrow<Token>> WakerRegistration<T> {
    /// No waker yet.
    pub const fn new(token: T) -> Self {
        WakerRegistration {
            token,
            key: EMPTY,
            waker: Identity::NONE,
        }
    }

    /// With that waker, which is woken at once if the token is cancelled.
    pub(crate) fn of(token: T, waker: &Waker) -> Self {
        let mut registration = WakerRegistration::new(token);
        if registration.token().peek_cancelled() || !registration.register(waker) {
            waker.wake_by_ref();
        }
        registration
    }

    /// The token.
    pub fn token(&self) -> &Token {
        self.token.borrow()
    }

    /// Has `waker` woken by the cancel, in place of an earlier one. `false`: the token is cancelled.
    ///
    /// This reads no clock, for operations that have checked the token just before. A deadline that has passed since then
    /// wakes the waker.
    ///
    /// # Panics
    ///
    /// If the token has a deadline or a condition and the operating system refuses the thread that watches over it,
    /// as [`std::thread::spawn`] does.
    pub fn register(&mut self, waker: &Waker) -> bool {
        let node = self.token.borrow().node();
        if node.is_marked() {
            return false;
        }
        if self.waker.is_of(waker) {
            return true;
        }
        let kept = waker.clone();
        let identity = Identity::of_kept(&kept, waker);
        let before = self.key();
        let is_pending = match node.register(Waiter::Waker(kept)) {
            Ok(key) => {
                self.key = key;
                self.waker = identity;
                true
            }
            Err(waiter) => {
                self.forget();
                drop_waiter(waiter);
                self.token().node().kind() == Kind::Never
            }
        };
        // The one before goes after that, so that a condition is watched all the time.
        if let Some(key) = before {
            self.unregister(key);
        }
        is_pending
    }

    /// Takes the waker back.
    #[inline]
    pub fn clear(&mut self) {
        if let Some(key) = self.key() {
            self.forget();
            self.unregister(key);
        }
    }

    /// Takes the waker back for good.
    pub(crate) fn end(&mut self) {
        self.clear();
        self.key = ENDED;
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.key == ENDED
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

    fn unregister(&self, key: u32) {
        let node = self.token.borrow().node();
        if let Some(waiter) = node.unregister_unless_notified(key) {
            drop_waiter(waiter);
        }
    }
}

/// It may be the last handle of a task.
fn drop_waiter(waiter: Waiter) {
    if let Waiter::Waker(waker) = waiter {
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
            .field("is_registered", &self.key().is_some())
            .finish()
    }
}
