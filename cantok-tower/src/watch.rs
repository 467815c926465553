use crate::ClientGone;
use cantok_core::adapter::{Current, Entered, WakerRegistration};
use cantok_core::{CancellationError, Token};
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::task::Context;
use std::thread;

/// The token of a request, with the waker that a cancel wakes. A response waits with it.
///
/// Dropping it cancels the token, since the client is gone, unless the response has ended or needs no end.
#[derive(Debug)]
pub(crate) struct Watch {
    waiting: WakerRegistration,
    cancels: bool,
    /// Whether it was polled. The first poll need not peek: it follows a check, or the head of the response.
    is_begun: bool,
    /// Whether a poll is under way, or has panicked.
    is_polling: bool,
}

// `is_polling` records a panic, and a panic cannot break the state of a token.
impl UnwindSafe for Watch {}
impl RefUnwindSafe for Watch {}

impl Watch {
    /// Makes a watch whose drop cancels the token.
    pub(crate) fn cancelling(token: Token) -> Self {
        Watch {
            waiting: WakerRegistration::new(token),
            cancels: true,
            is_begun: false,
            is_polling: false,
        }
    }

    /// Makes a watch whose drop does not cancel the token.
    pub(crate) fn observing(token: Token) -> Self {
        let mut watch = Watch::cancelling(token);
        watch.disarm();
        watch
    }

    /// From now on, the drop does not cancel the token.
    pub(crate) fn disarm(&mut self) {
        self.cancels = false;
    }

    /// Makes the next poll a first one: that of the body, after the head of the response.
    pub(crate) fn begin_anew(&mut self) {
        self.is_begun = false;
    }

    pub(crate) fn token(&self) -> &Token {
        self.waiting.token()
    }

    /// Returns the token's error if it is cancelled or its deadline has passed. The deadline counts even before the
    /// token is marked, since other timers may be faster.
    pub(crate) fn cancellation(&self) -> Option<CancellationError> {
        self.token().cancellation()
    }

    /// Begins a poll: peeks at the token, and makes it the current one of the thread until the [`end`](Watch::end).
    /// Returns `None` if it is cancelled.
    #[inline]
    pub(crate) fn begin(&mut self) -> Option<Entered> {
        if self.is_begun && self.cancellation().is_some() {
            return None;
        }
        self.is_begun = true;
        self.is_polling = true;
        Some(Current::of(self.token()).entered())
    }

    /// Ends a poll that has not panicked.
    #[inline]
    pub(crate) fn end(&mut self, entered: Entered) {
        drop(entered);
        self.is_polling = false;
    }

    /// Has a cancel wake the task. Returns `false` if the token is cancelled.
    pub(crate) fn wait(&mut self, cx: &mut Context<'_>) -> bool {
        self.waiting.register(cx.waker())
    }

    /// Ends the watch of a cancelled token, and returns its error.
    pub(crate) fn error(mut self) -> CancellationError {
        self.disarm();
        self.cancellation().expect("a cancelled token has an error")
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if !self.cancels {
            return;
        }
        // Clear first, since the cancel need not wake this task.
        self.waiting.clear();
        if self.is_polling || thread::panicking() {
            self.token().cancel_with("the service has panicked");
        } else {
            self.token().cancel_with(ClientGone);
        }
    }
}
