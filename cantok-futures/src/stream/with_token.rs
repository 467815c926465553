use super::TryWithToken;
use futures_core::{FusedStream, Stream};
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

pin_project! {
    /// A stream that ends quietly when its token is cancelled. Made by
    /// [`StreamTokenExt::with_token`](crate::StreamTokenExt::with_token).
    ///
    /// It has the guarantees of [`TryWithToken`], but yields `None` instead of the error, so a stopped stream looks
    /// finished.
    #[derive(Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct WithToken<S> {
        #[pin]
        stream: TryWithToken<S>,
    }
}

impl<S: Stream> WithToken<S> {
    pub(super) fn new(stream: TryWithToken<S>) -> Self {
        WithToken { stream }
    }

    /// Returns the inner stream, with all items that were not taken from it.
    pub fn into_inner(self) -> S {
        self.stream.into_inner()
    }
}

impl<S: Stream> Stream for WithToken<S> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let item = ready!(self.project().stream.poll_next(cx));
        Poll::Ready(item.and_then(Result::ok))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, self.stream.upper_bound())
    }
}

impl<S: Stream> FusedStream for WithToken<S> {
    fn is_terminated(&self) -> bool {
        self.stream.is_terminated()
    }
}
