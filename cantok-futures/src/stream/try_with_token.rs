use cantok_core::adapter::{CheckedPoll, stopped_early};
use cantok_core::{CancellationError, Token};
use futures_core::{FusedStream, Stream};
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

pin_project! {
    /// A stream that yields one error and then ends when its token is cancelled. Made by
    /// [`StreamTokenExt::try_with_token`](crate::StreamTokenExt::try_with_token).
    ///
    /// # Guarantees
    ///
    /// - Each item is one [check](Token#checks-and-peeks), in the first poll for it. Later polls only peek. A
    ///   [`CounterToken`](cantok_core::CounterToken) of `n` units therefore lets exactly `n` items pass.
    /// - Finding the end is one check, too, unless the `size_hint` of the inner stream announces it. An announced end
    ///   is yielded even under a cancelled token.
    /// - The token comes first. Each poll checks or peeks before it polls the inner stream, so nothing is taken from
    ///   that after the cancel. [`into_inner`](TryWithToken::into_inner) returns the stream with the remaining items.
    /// - The cancel wakes a task that waits for an item. It wakes no task between two items.
    /// - An ended stream stays ended, as [`FusedStream`] reports.
    ///
    /// # Panics
    ///
    /// As [`CheckedPoll::poll`].
    ///
    /// # Cancel safety
    ///
    /// Dropping a `next()` loses no item. The next call continues it, without another check.
    #[derive(Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct TryWithToken<S> {
        #[pin]
        stream: S,
        receiving: CheckedPoll,
        has_ended: bool,
    }
}

impl<S: Stream> TryWithToken<S> {
    pub(super) fn new(stream: S, token: Token) -> Self {
        TryWithToken {
            stream,
            receiving: CheckedPoll::new(token),
            has_ended: false,
        }
    }

    /// Returns the upper bound of the remaining items.
    pub(super) fn upper_bound(&self) -> Option<usize> {
        match self.has_ended {
            true => Some(0),
            false => self.stream.size_hint().1,
        }
    }

    /// Returns the inner stream, with all items that were not taken from it.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::CounterToken;
    /// use cantok_futures::prelude::*;
    /// use futures::stream::{self, StreamExt};
    ///
    /// # pollster::block_on(async {
    /// let mut stream = stream::iter(1..=4).try_with_token(CounterToken::new(1));
    /// assert_eq!(stream.next().await, Some(Ok(1)));
    /// assert!(stream.next().await.unwrap().is_err());
    /// assert!(stream.next().await.is_none());
    /// let rest: Vec<u32> = stream.into_inner().collect().await;
    /// assert_eq!(rest, [2, 3, 4]);
    /// # });
    /// ```
    pub fn into_inner(self) -> S {
        self.stream
    }
}

impl<S: Stream> Stream for TryWithToken<S> {
    type Item = Result<S::Item, CancellationError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut this = self.project();
        if *this.has_ended {
            return Poll::Ready(None);
        }
        // An announced end takes no check if it is ready.
        if !this.receiving.is_pending() && this.stream.size_hint().1 == Some(0) {
            if let Poll::Ready(item) = this.stream.as_mut().poll_next(cx) {
                *this.has_ended = item.is_none();
                return Poll::Ready(item.map(Ok));
            }
        }
        let stream = this.stream;
        let item = match ready!(this.receiving.poll(cx, |cx| stream.poll_next(cx))) {
            Ok(item) => {
                *this.has_ended = item.is_none();
                item.map(Ok)
            }
            Err(error) => {
                *this.has_ended = true;
                stopped_early("stream", &error);
                Some(Err(error))
            }
        };
        Poll::Ready(item)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        if self.has_ended {
            return (0, Some(0));
        }
        // An error may replace any number of items, or come after the last one.
        let upper = self.upper_bound().and_then(|items| items.checked_add(1));
        (self.stream.size_hint().0.min(1), upper)
    }
}

impl<S: Stream> FusedStream for TryWithToken<S> {
    fn is_terminated(&self) -> bool {
        self.has_ended
    }
}
