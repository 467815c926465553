use crate::waker_slot::{WakerSlot, cause_of};
use cantok_core::{CancellationError, Token};
use futures_core::FusedFuture;
use std::borrow::Borrow;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A future that is ready when its token is cancelled. Made by [`cancelled`](crate::TokenExt::cancelled) and
/// [`cancelled_owned`](crate::TokenExt::cancelled_owned).
///
/// It runs on any executor, needs no runtime, and spends no counter: like [`Token::wait`] it waits for whatever cancels
/// the token. A counter without a unit left counts as cancelled, and where somebody waits, spending the last unit
/// cancels. A condition is asked by a thread of `cantok-core`, when the wait begins and then at its interval. On a
/// token that cannot be cancelled it is never ready.
///
/// It is [`Unpin`]: in a loop around a `select!`, make it once, outside, and wait for `&mut cancelled`.
///
/// # Guarantees
///
/// The task is woken by the cancel, before any callback of that token is called, and by nothing else. No cancel is
/// missed, whenever it comes. Once ready the future stays ready: polled again it gives the same error, and
/// [`FusedFuture`] says that it is terminated. A poll allocates nothing but the place in the token's list of those who
/// wait, and that with the first poll alone; with the same waker, later ones take no lock. Dropping it, at any time,
/// gives the place back and does not wait.
///
/// # Cancel safety
///
/// It can be dropped and made anew without missing anything.
///
/// # Panics
///
/// A poll panics as [`Token::subscribe_waker`]: if the token has a deadline or a condition and the operating system
/// refuses the thread that watches over it, or if the poll is what finds the token cancelled and a callback panics.
///
/// # Examples
///
/// Outside of tokio:
///
/// ```
/// use cantok_core::{Cause, CounterToken};
/// use cantok_tokio::prelude::*;
///
/// let token = CounterToken::new(1);
/// assert!(token.keep_on());
/// let error = pollster::block_on(token.cancelled());
/// assert_eq!(error.cause(), &Cause::Counter { limit: 1 });
/// ```
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct Cancelled<T = Token> {
    token: T,
    slot: WakerSlot,
    is_done: bool,
}

impl<T: Borrow<Token>> Cancelled<T> {
    pub(crate) fn new(token: T) -> Self {
        Cancelled {
            token,
            slot: WakerSlot::default(),
            is_done: false,
        }
    }
}

// Nothing in it is pinned.
impl<T> Unpin for Cancelled<T> {}

impl<T: Borrow<Token>> Future for Cancelled<T> {
    type Output = CancellationError;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<CancellationError> {
        let this = self.get_mut();
        let token = this.token.borrow();
        let subscribe = Token::subscribe_waker;
        if !token.looks_cancelled() && this.slot.waits(token, cx.waker(), subscribe) {
            return Poll::Pending;
        }
        let error = cause_of(token);
        this.slot.clear();
        this.is_done = true;
        Poll::Ready(error)
    }
}

impl<T: Borrow<Token>> FusedFuture for Cancelled<T> {
    fn is_terminated(&self) -> bool {
        self.is_done
    }
}
