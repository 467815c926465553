use cantok_core::adapter::{CheckedPoll, stopped_early};
use cantok_core::{CancellationError, Token};
use futures_io::{AsyncBufRead, AsyncRead, AsyncSeek, AsyncWrite};
use pin_project_lite::pin_project;
use std::io::{self, IoSlice, IoSliceMut, SeekFrom};
use std::pin::Pin;
use std::task::{Context, Poll};

pin_project! {
    /// A reader or writer whose operations end when its token is cancelled. Made by
    /// [`AsyncReadTokenExt::with_token`](super::AsyncReadTokenExt::with_token) and
    /// [`AsyncWriteTokenExt::with_token`](super::AsyncWriteTokenExt::with_token).
    ///
    /// It implements [`AsyncRead`], [`AsyncBufRead`], [`AsyncWrite`] and [`AsyncSeek`] where the inner type does.
    ///
    /// # Guarantees
    ///
    /// - Each read, write, flush, close and seek is one [check](Token#checks-and-peeks), in its first poll. Later polls
    ///   only peek.
    /// - The token comes first. Once it is cancelled, the inner type is not polled, so every byte that was read reaches
    ///   the caller.
    /// - The cancel wakes a task that waits for an operation. Reads and writes wait independently: the end of one does
    ///   not end the other's wait.
    ///
    /// Flushing and closing end with the token, too. To close gracefully, take the inner type back with
    /// [`into_inner`](WithToken::into_inner).
    ///
    /// # Errors
    ///
    /// The [`CancellationError`] as an [`io::Error`], of the kind [`TimedOut`](io::ErrorKind::TimedOut) for deadlines
    /// and [`Other`](io::ErrorKind::Other) otherwise. [`io::Error::downcast`] returns it.
    ///
    /// # Panics
    ///
    /// As [`CheckedPoll::poll`].
    ///
    /// # Cancel safety
    ///
    /// As cancel safe as the operation of the inner type. An operation that is dropped while it waits counts as under
    /// way: the next one in the same direction continues it, without another check.
    #[derive(Debug)]
    pub struct WithToken<T> {
        #[pin]
        inner: T,
        reading: CheckedPoll,
        writing: CheckedPoll,
    }
}

impl<T> WithToken<T> {
    /// Wraps any type, as the methods `with_token` do.
    pub fn new(inner: T, token: impl Into<Token>) -> Self {
        let token = token.into();
        WithToken {
            inner,
            reading: CheckedPoll::new(token.clone()),
            writing: CheckedPoll::new(token),
        }
    }

    /// Returns a reference to the inner type.
    pub fn get_ref(&self) -> &T {
        &self.inner
    }

    /// Returns a mutable reference to the inner type, whose operations do not end with the token.
    pub fn get_mut(&mut self) -> &mut T {
        &mut self.inner
    }

    /// Returns the inner type.
    pub fn into_inner(self) -> T {
        self.inner
    }
}

/// Turns the result of an operation under a token into its own kind of result.
fn flatten<T>(polled: Poll<Result<io::Result<T>, CancellationError>>) -> Poll<io::Result<T>> {
    polled.map(|result| {
        result.unwrap_or_else(|error| {
            stopped_early("io", &error);
            Err(error.into())
        })
    })
}

impl<R: AsyncRead> AsyncRead for WithToken<R> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.project();
        let inner = this.inner;
        flatten(this.reading.poll(cx, |cx| inner.poll_read(cx, buffer)))
    }

    fn poll_read_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.project();
        let inner = this.inner;
        flatten(
            this.reading
                .poll(cx, |cx| inner.poll_read_vectored(cx, buffers)),
        )
    }
}

impl<R: AsyncBufRead> AsyncBufRead for WithToken<R> {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.project();
        let inner = this.inner;
        flatten(this.reading.poll(cx, |cx| inner.poll_fill_buf(cx)))
    }

    fn consume(self: Pin<&mut Self>, amount: usize) {
        self.project().inner.consume(amount);
    }
}

impl<W: AsyncWrite> AsyncWrite for WithToken<W> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.project();
        let inner = this.inner;
        flatten(this.writing.poll(cx, |cx| inner.poll_write(cx, bytes)))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.project();
        let inner = this.inner;
        flatten(
            this.writing
                .poll(cx, |cx| inner.poll_write_vectored(cx, buffers)),
        )
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.project();
        let inner = this.inner;
        flatten(this.writing.poll(cx, |cx| inner.poll_flush(cx)))
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.project();
        let inner = this.inner;
        flatten(this.writing.poll(cx, |cx| inner.poll_close(cx)))
    }
}

impl<T: AsyncSeek> AsyncSeek for WithToken<T> {
    fn poll_seek(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        position: SeekFrom,
    ) -> Poll<io::Result<u64>> {
        let this = self.project();
        let inner = this.inner;
        flatten(this.reading.poll(cx, |cx| inner.poll_seek(cx, position)))
    }
}
