use super::SinkTokenError;
use cantok_core::adapter::{CheckedPoll, stopped_early};
use cantok_core::{CancellationError, Token};
use futures_sink::Sink;
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll};

pin_project! {
    /// A sink that fails once its token is cancelled. Made by
    /// [`SinkTokenExt::with_token`](super::SinkTokenExt::with_token).
    ///
    /// # Guarantees
    ///
    /// - Each item is one [check](Token#checks-and-peeks), in the first `poll_ready` for it. A
    ///   [`CounterToken`](cantok_core::CounterToken) of `n` units therefore lets exactly `n` items in. Flushing and
    ///   closing only peek.
    /// - The token comes first. Once it is cancelled, the inner sink takes no item, and is neither flushed nor closed.
    ///   An item that the inner sink was ready for before the cancel is still passed on.
    /// - The cancel wakes a task that waits for the sink to be ready, flushed or closed.
    /// - Nothing that was sent is discarded. [`into_inner`](WithToken::into_inner) returns the inner sink, which you
    ///   can flush and close without the token, or with another one.
    ///
    /// # Errors
    ///
    /// [`SinkTokenError::Cancelled`] once the token is cancelled, otherwise the error of the inner sink.
    ///
    /// # Panics
    ///
    /// As [`CheckedPoll::poll`].
    #[derive(Debug)]
    #[must_use = "sinks do nothing unless polled"]
    pub struct WithToken<S> {
        #[pin]
        sink: S,
        sending: CheckedPoll,
    }
}

impl<S> WithToken<S> {
    /// Wraps a sink, as [`SinkTokenExt::with_token`](super::SinkTokenExt::with_token) does.
    pub fn new(sink: S, token: impl Into<Token>) -> Self {
        WithToken {
            sink,
            sending: CheckedPoll::new(token.into()),
        }
    }

    /// Returns the inner sink.
    ///
    /// # Examples
    ///
    /// Closes the sink of a cancelled task:
    ///
    /// ```
    /// use cantok_core::SimpleToken;
    /// use cantok_futures::SinkTokenExt as _;
    /// use futures::SinkExt;
    /// use futures::channel::mpsc;
    ///
    /// # pollster::block_on(async {
    /// let token = SimpleToken::new();
    /// let (sender, receiver) = mpsc::channel(1);
    /// let mut sink = sender.with_token(&token);
    /// sink.feed("last").await.unwrap();
    /// token.cancel();
    /// assert!(sink.flush().await.is_err());
    /// sink.into_inner().close().await.unwrap();
    /// # drop(receiver);
    /// # });
    /// ```
    pub fn into_inner(self) -> S {
        self.sink
    }
}

fn failed<E>(
    polled: Poll<Result<Result<(), E>, CancellationError>>,
) -> Poll<Result<(), SinkTokenError<E>>> {
    polled.map(|result| match result {
        Ok(result) => result.map_err(SinkTokenError::Sink),
        Err(error) => {
            stopped_early("sink", &error);
            Err(SinkTokenError::Cancelled(error))
        }
    })
}

impl<Item, S: Sink<Item>> Sink<Item> for WithToken<S> {
    type Error = SinkTokenError<S::Error>;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        let this = self.project();
        failed(this.sending.poll(cx, |cx| this.sink.poll_ready(cx)))
    }

    fn start_send(self: Pin<&mut Self>, item: Item) -> Result<(), Self::Error> {
        let sink = self.project().sink;
        sink.start_send(item).map_err(SinkTokenError::Sink)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        let this = self.project();
        failed(this.sending.poll_peeking(cx, |cx| this.sink.poll_flush(cx)))
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        let this = self.project();
        failed(this.sending.poll_peeking(cx, |cx| this.sink.poll_close(cx)))
    }
}
