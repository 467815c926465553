use crate::CallError;
use crate::grpc;
use crate::watch::Watch;
use bytes::Buf;
use cantok_core::adapter::stopped_early;
use cantok_core::{CancellationError, Token};
use http::header::{CONTENT_LENGTH, HeaderValue};
use http::{HeaderMap, Response};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll};

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
        TokenBody::new(inner, None, None, None)
    }

    /// Makes the body of a response, with what [`hand_over`] returned. With the token of a gRPC server, it ends with
    /// gRPC's trailers.
    pub(crate) fn new(
        inner: B,
        watch: Option<Watch>,
        announced: Option<u64>,
        shutdown: Option<Token>,
    ) -> Self {
        TokenBody {
            watch,
            inner: Some(inner),
            shutdown,
            announced,
        }
    }
}

/// Prepares the watch for the body of a response. Takes it away, or disarms it, if there is no end to wait for. Returns
/// the number of announced bytes.
pub(crate) fn hand_over<B: Body>(
    watch: &mut Option<Watch>,
    response: &Response<B>,
    has_body: bool,
) -> Option<u64> {
    let announced = content_length(response.headers());
    let announced = announced.or_else(|| response.body().size_hint().exact());
    if let Some(begun) = watch {
        begun.begin_anew();
        let has_ended = response.body().is_end_stream();
        if has_ended || !has_body || announced == Some(0) {
            begun.disarm();
        }
        if has_ended {
            *watch = None;
        }
    }
    announced
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    let length = headers.get(CONTENT_LENGTH).map(HeaderValue::to_str);
    length?.ok()?.parse().ok()
}

/// Counts the bytes of a frame. Returns `true` if it has the last of the announced ones.
fn is_last<D: Buf>(frame: &Frame<D>, announced: &mut Option<u64>) -> bool {
    let Some(left) = announced else {
        return false;
    };
    let bytes = frame.data_ref().map_or(0, |data| data.remaining() as u64);
    *left = left.saturating_sub(bytes);
    *left == 0
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
        if let Some(entered) = watch.begin() {
            let polled = inner.as_mut().poll_frame(cx);
            watch.end(entered);
            let (is_stopped, has_ended) = match &polled {
                Poll::Pending => (!watch.wait(cx), false),
                Poll::Ready(Some(Ok(frame))) => {
                    if is_last(frame, this.announced) {
                        // From here on, a server may drop the body.
                        watch.disarm();
                    }
                    (false, frame.is_trailers() || inner.is_end_stream())
                }
                // A failure after the cancel is probably a consequence of it.
                Poll::Ready(Some(Err(_))) => (watch.cancellation().is_some(), true),
                Poll::Ready(None) => (false, true),
            };
            if !is_stopped {
                if has_ended {
                    watch.disarm();
                    *this.watch = None;
                }
                return polled.map_err(CallError::failed);
            }
        }
        let error = this.watch.take().expect("just polled").error();
        // Release the body's resources before the client gets the error.
        this.inner.set(None);
        stopped_early("body", &error);
        Poll::Ready(Some(last_frame(error, this.shutdown.take())))
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
