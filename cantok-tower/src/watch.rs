use crate::ClientGone;
use cantok_core::adapter::WakerRegistration;
use cantok_core::{CancellationError, Token};
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::task::{Context, Poll};
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

    /// Runs `f` with the token as the current one of the thread.
    pub(crate) fn enter<T>(&mut self, f: impl FnOnce() -> T) -> T {
        self.is_polling = true;
        let output = self.waiting.token().enter(f);
        self.is_polling = false;
        output
    }

    /// Returns the token's error if it is cancelled or its deadline has passed. The deadline counts even before the
    /// token is marked, since other timers may be faster.
    pub(crate) fn cancellation(&self) -> Option<CancellationError> {
        self.token().cancellation()
    }

    /// Peeks at the token and polls. If the poll is pending, a cancel wakes the task.
    pub(crate) fn poll<T>(
        &mut self,
        cx: &mut Context<'_>,
        poll: impl FnOnce(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<Result<T, CancellationError>> {
        let mut error = if self.is_begun {
            self.cancellation()
        } else {
            None
        };
        self.is_begun = true;
        if error.is_none() {
            if let Poll::Ready(output) = self.enter(|| poll(cx)) {
                return Poll::Ready(Ok(output));
            }
            if self.waiting.register(cx.waker()) {
                return Poll::Pending;
            }
            error = self.cancellation();
        }
        self.disarm();
        self.waiting.clear();
        Poll::Ready(Err(error.expect("a cancelled token has an error")))
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
