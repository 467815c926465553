use crate::CallError;
use crate::grpc;
use crate::watch::Watch;
use bytes::Buf as _;
use cantok_core::adapter::stopped_early;
use cantok_core::{CancellationError, Token};
use http::HeaderMap;
use http::header::{CONTENT_LENGTH, HeaderValue};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

type BoxError = Box<dyn Error + Send + Sync>;

pin_project! {
    /// A body that ends early when the token of its request is cancelled.
    ///
    /// It is in the responses of [`TokenService`](crate::TokenService) and
    /// [`PropagateService`](crate::PropagateService).
    ///
    /// # Guarantees
    ///
    /// - The first poll passes a ready frame on, even if the token was cancelled after the head of the response. Each
    ///   later poll peeks at the token first.
    /// - Once the token is cancelled, the inner body is dropped and this yields one [`CallError`], then nothing. A
    ///   server that gets it closes the connection or resets the stream. The response of a gRPC service ends with
    ///   trailers instead, with `DEADLINE_EXCEEDED` or `UNAVAILABLE`.
    /// - **In a service, dropping it before its end cancels the token**, with [`ClientGone`](crate::ClientGone). It has
    ///   ended once it was polled to its end or to an error, once it is [at its end](Body::is_end_stream), or once it
    ///   has yielded the announced number of bytes. Bodies that no client reads cancel nothing: those of a response to
    ///   `HEAD` or of an upgrade.
    /// - The [current token](cantok_core::Token::current) of the inner body is that of the request.
    ///
    /// A slow client keeps the body from being polled, and so from ending. This does not delay the cancel.
    ///
    /// # Panics
    ///
    /// A drop that cancels runs the callbacks of the token and resumes their first panic.
    #[derive(Debug)]
    pub struct TokenBody<B> {
        // Dropped first, so that the token is cancelled when the inner body is dropped. `None` after the end.
        watch: Option<Watch>,
        // `None` once the token has ended the body.
        #[pin]
        inner: Option<B>,
        // The server's token, if this is the body of a gRPC service.
        shutdown: Option<Token>,
        // The number of announced bytes that have not been yielded yet.
        announced: Option<u64>,
    }
}

impl<B: Body> TokenBody<B> {
    /// Makes a body that no token ends.
    pub(crate) fn unwatched(inner: B) -> Self {
        TokenBody {
            watch: None,
            inner: Some(inner),
            shutdown: None,
            announced: None,
        }
    }

    /// Makes the body of a response with these headers.
    pub(crate) fn new(inner: B, mut watch: Watch, headers: &HeaderMap) -> Self {
        let announced = content_length(headers).or_else(|| inner.size_hint().exact());
        watch.begin_anew();
        if announced == Some(0) {
            watch.disarm();
        }
        let has_ended = inner.is_end_stream();
        let mut body = TokenBody::unwatched(inner);
        body.announced = announced;
        if has_ended {
            watch.disarm();
        } else {
            body.watch = Some(watch);
        }
        body
    }

    /// Has the body end with gRPC's trailers, if this is passed the token of a gRPC server.
    pub(crate) fn grpc(mut self, shutdown: Option<Token>) -> Self {
        self.shutdown = shutdown;
        self
    }
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    let length = headers.get(CONTENT_LENGTH).map(HeaderValue::to_str);
    length?.ok()?.parse().ok()
}

/// Returns the last frame of a body that the token has stopped.
fn last_frame<D>(error: CancellationError, shutdown: Option<Token>) -> Result<Frame<D>, CallError> {
    let Some(shutdown) = shutdown else {
        return Err(CallError::cancelled(error));
    };
    let mut trailers = HeaderMap::new();
    let code = grpc::code(&error, &shutdown);
    grpc::set_status(&mut trailers, code, &error.to_string());
    Ok(Frame::trailers(trailers))
}

impl<B> Body for TokenBody<B>
where
    B: Body,
    B::Error: Into<BoxError>,
{
    type Data = B::Data;
    type Error = CallError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, CallError>>> {
        let mut this = self.project();
        let Some(mut inner) = this.inner.as_mut().as_pin_mut() else {
            return Poll::Ready(None);
        };
        let Some(watch) = this.watch else {
            return inner.poll_frame(cx).map_err(CallError::failed);
        };
        let mut polled = ready!(watch.poll(cx, |cx| inner.as_mut().poll_frame(cx)));
        // A failure after the cancel is probably a consequence of it.
        if matches!(polled, Ok(Some(Err(_)))) {
            if let Some(error) = watch.cancellation() {
                watch.disarm();
                polled = Err(error);
            }
        }
        match polled {
            Ok(frame) => {
                if let (Some(Ok(frame)), Some(left)) = (&frame, &mut this.announced) {
                    let bytes = frame.data_ref().map_or(0, |data| data.remaining() as u64);
                    *left = left.saturating_sub(bytes);
                    if *left == 0 {
                        // From here on, a server may drop the body.
                        watch.disarm();
                    }
                }
                let goes_on = matches!(&frame, Some(Ok(frame)) if !frame.is_trailers());
                if !goes_on || inner.is_end_stream() {
                    watch.disarm();
                    *this.watch = None;
                }
                Poll::Ready(frame.map(|frame| frame.map_err(CallError::failed)))
            }
            Err(error) => {
                *this.watch = None;
                // Release the body's resources before the client gets the error.
                this.inner.set(None);
                stopped_early("body", &error);
                Poll::Ready(Some(last_frame(error, this.shutdown.take())))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        match &self.inner {
            Some(inner) => inner.size_hint(),
            None => SizeHint::with_exact(0),
        }
    }
}
