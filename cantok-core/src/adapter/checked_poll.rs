use super::WakerRegistration;
use crate::{CancellationError, Token};
use std::task::{Context, Poll};

/// Polls another library's operations under a token: reads, writes, the items of a stream.
///
/// An operation begins with its first poll and ends with the poll that returns `Ready`. There is at most one at a time.
/// Each operation [checks](Token#checks-and-peeks) the token once, in its first poll.
///
/// # Guarantees
///
/// - Each poll checks or peeks at the token before it polls the operation. If the token is cancelled, the operation is
///   not polled.
/// - A poll that returns `Pending` has registered the task with the token. The registration ends with the operation, or
///   when this is dropped.
/// - What the operation returns is passed on, even if the token was cancelled during the poll.
///
/// # Examples
///
/// A reader whose reads end with a token:
///
/// ```
/// use cantok_core::adapter::CheckedPoll;
/// use std::io;
/// use std::task::{Context, Poll};
///
/// /// Stands for another library's reader.
/// trait AsyncRead {
///     fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>>;
/// }
///
/// struct WithToken<R> {
///     reader: R,
///     reading: CheckedPoll,
/// }
///
/// impl<R: AsyncRead> AsyncRead for WithToken<R> {
///     fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
///         let WithToken { reader, reading } = self;
///         let read = reading.poll(cx, |cx| reader.poll_read(cx, buffer));
///         read.map(|read| read.unwrap_or_else(|error| Err(error.into())))
///     }
/// }
/// ```
#[derive(Debug)]
pub struct CheckedPoll {
    registration: WakerRegistration,
    /// Whether the operation that has begun has made its check.
    is_checked: bool,
}

impl CheckedPoll {
    /// Makes a `CheckedPoll` without checking the token.
    pub const fn new(token: Token) -> Self {
        CheckedPoll {
            registration: WakerRegistration::new(token),
            is_checked: false,
        }
    }

    /// Returns the token.
    pub fn token(&self) -> &Token {
        self.registration.token()
    }

    /// Returns `true` if an operation has begun and not ended.
    pub fn is_pending(&self) -> bool {
        self.is_checked
    }

    /// Polls an operation. Its first poll checks the token, later ones peek.
    ///
    /// # Errors
    ///
    /// If the token is cancelled. The operation has then ended. It was not polled, unless the cancel came during a poll
    /// that found it pending.
    ///
    /// # Panics
    ///
    /// If a condition panics in the check; the next poll then checks again. If the operation panics. As
    /// [`WakerRegistration::register`].
    #[inline]
    pub fn poll<T>(
        &mut self,
        cx: &mut Context<'_>,
        operation: impl FnOnce(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<Result<T, CancellationError>> {
        let token = self.registration.token();
        let is_cancelled = match self.is_checked {
            false => token.is_cancelled(),
            true => token.peek_cancelled(),
        };
        self.is_checked = true;
        let result = self.poll_unless(is_cancelled, cx, operation);
        if result.is_ready() {
            self.is_checked = false;
            self.registration.clear();
        }
        result
    }

    /// Polls something that belongs to an operation, such as the flush after a write. It peeks and never checks.
    ///
    /// # Errors
    ///
    /// As [`poll`](CheckedPoll::poll).
    ///
    /// # Panics
    ///
    /// If the operation panics, or as [`WakerRegistration::register`].
    pub fn poll_peeking<T>(
        &mut self,
        cx: &mut Context<'_>,
        operation: impl FnOnce(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<Result<T, CancellationError>> {
        let is_cancelled = self.token().peek_cancelled();
        let result = self.poll_unless(is_cancelled, cx, operation);
        // An operation that has begun keeps its registration.
        if result.is_ready() && !self.is_checked {
            self.registration.clear();
        }
        result
    }

    #[inline]
    fn poll_unless<T>(
        &mut self,
        is_cancelled: bool,
        cx: &mut Context<'_>,
        operation: impl FnOnce(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<Result<T, CancellationError>> {
        if !is_cancelled {
            if let Poll::Ready(output) = operation(cx) {
                return Poll::Ready(Ok(output));
            }
            if self.registration.register(cx.waker()) {
                return Poll::Pending;
            }
        }
        Poll::Ready(Err(self.token().latched()))
    }
}
