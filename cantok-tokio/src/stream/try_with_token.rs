use crate::cause::cause_of;
use cantok_core::adapter::WakerRegistration;
use cantok_core::{CancellationError, Token};
use futures_core::{FusedStream, Stream};
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll};

pin_project! {
    /// A stream that yields one error and then ends when its token is cancelled. Made by
    /// [`StreamTokenExt::try_with_token`](crate::StreamTokenExt::try_with_token).
    ///
    /// # Guarantees
    ///
    /// There is one [check](Token#checks-and-peeks) for each item that is asked for, in the poll that asks first;
    /// further polls for the same item only look, and spend nothing. With a [`CounterToken`](cantok_core::CounterToken)
    /// of `n` units exactly `n` items pass. There is no check after the last item if the stream inside knows
    /// (`size_hint`) that it was the last, and such an end comes under a cancelled token too; otherwise its end is
    /// asked for like an item.
    ///
    /// The token comes first: each poll looks at it before it polls the stream inside, so after the cancel nothing is
    /// taken from that any more. What was not taken is still there, see [`into_inner`](TryWithToken::into_inner); the
    /// stream inside is dropped with this one and no sooner.
    ///
    /// The task is woken by the cancel while it waits for an item, and not between two items. The stream stays ended,
    /// whether the token ended it or the stream inside did; [`FusedStream`] says so.
    ///
    /// # Cancel safety
    ///
    /// A `next()` that is dropped has taken no item. An item that it asked for is still asked for: the `next()` after
    /// it does not check again.
    ///
    /// # Panics
    ///
    /// If a condition panics in the check, or as [`WakerRegistration::register`].
    #[derive(Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct TryWithToken<S> {
        #[pin]
        stream: S,
        registration: WakerRegistration,
        stage: Stage,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Between two items.
    Idle,
    /// An item was asked for, and the check for it is done.
    Asked,
    /// Nothing more comes.
    Ended,
}

impl<S: Stream> TryWithToken<S> {
    pub(super) fn new(stream: S, token: Token) -> Self {
        TryWithToken {
            stream,
            registration: WakerRegistration::new(token),
            stage: Stage::Idle,
        }
    }

    /// How many items may come at most.
    pub(super) fn most(&self) -> Option<usize> {
        match self.stage {
            Stage::Ended => Some(0),
            _ => self.stream.size_hint().1,
        }
    }

    /// The stream inside, with everything that was not taken from it.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::CounterToken;
    /// use cantok_tokio::prelude::*;
    /// use futures::stream::{self, StreamExt};
    ///
    /// # futures::executor::block_on(async {
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
        let this = self.project();
        // Then there is no check, unless there is something to wait for all the same.
        let is_over = *this.stage == Stage::Idle && this.stream.size_hint().1 == Some(0);
        let token = this.registration.token();
        let is_stopped = match this.stage {
            Stage::Ended => return Poll::Ready(None),
            Stage::Idle => !is_over && token.is_cancelled(),
            Stage::Asked => token.peek_cancelled(),
        };
        if !is_stopped {
            if let Poll::Ready(item) = this.stream.poll_next(cx) {
                *this.stage = match item {
                    Some(_) => Stage::Idle,
                    None => Stage::Ended,
                };
                this.registration.clear();
                return Poll::Ready(item.map(Ok));
            }
            let is_stopped = is_over && token.is_cancelled();
            // After the check: one that panics is made again.
            *this.stage = Stage::Asked;
            if !is_stopped && this.registration.register(cx.waker()) {
                return Poll::Pending;
            }
        }
        let error = cause_of(this.registration.token());
        *this.stage = Stage::Ended;
        this.registration.clear();
        #[cfg(feature = "tracing")]
        crate::trace::stopped_early("stream", &error);
        Poll::Ready(Some(Err(error)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        if self.stage == Stage::Ended {
            return (0, Some(0));
        }
        // An error may stand for any number of items, and come after the last one.
        let most = self.most().and_then(|items| items.checked_add(1));
        (self.stream.size_hint().0.min(1), most)
    }
}

impl<S: Stream> FusedStream for TryWithToken<S> {
    fn is_terminated(&self) -> bool {
        self.stage == Stage::Ended
    }
}
