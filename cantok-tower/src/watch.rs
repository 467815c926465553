use crate::ClientGone;
use cantok_core::adapter::WakerRegistration;
use cantok_core::{CancellationError, Token};
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::task::{Context, Poll};
use std::thread;

/// What a response waits with: the token of its request and the waker that the cancel wakes.
///
/// Dropping it cancels the token if the response is to be ended and has not: the client is gone.
#[derive(Debug)]
pub(crate) struct Watch {
    waiting: WakerRegistration,
    cancels: bool,
    /// Polled before: the first poll comes right after a check, or after the head of the response.
    is_begun: bool,
    /// A poll is under way, or has panicked.
    is_polling: bool,
}

// A panic is noted, and a token has no state that one could break.
impl UnwindSafe for Watch {}
impl RefUnwindSafe for Watch {}

impl Watch {
    /// Its drop cancels the token.
    pub(crate) fn cancelling(token: Token) -> Self {
        Watch {
            waiting: WakerRegistration::new(token),
            cancels: true,
            is_begun: false,
            is_polling: false,
        }
    }

    /// Its drop leaves the token alone.
    pub(crate) fn observing(token: Token) -> Self {
        let mut watch = Watch::cancelling(token);
        watch.disarm();
        watch
    }

    /// From now on the drop leaves the token alone.
    pub(crate) fn disarm(&mut self) {
        self.cancels = false;
    }

    /// For the body, after the head of the response.
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

    /// The token's error, if it is cancelled or its deadline has passed, marked or not: other timers may be faster.
    pub(crate) fn cancellation(&self) -> Option<CancellationError> {
        self.token().cancellation()
    }

    /// Polls, after a look at the token, and has the cancel wake the task if that is pending.
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
        // Before the cancel, which need not wake this task.
        self.waiting.clear();
        if self.is_polling || thread::panicking() {
            self.token().cancel_with("the service has panicked");
        } else {
            self.token().cancel_with(ClientGone);
        }
    }
}
