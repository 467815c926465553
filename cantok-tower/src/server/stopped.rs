use crate::TimeoutHeaderError;
use crate::grpc::{self, Code};
use cantok_core::{CancellationError, Token};
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use std::fmt;

/// Why the layer responds to a request itself: its token was cancelled, or its timeout header is malformed.
///
/// `Display` shows the error's message. [`TokenLayer::on_cancelled`](crate::TokenLayer::on_cancelled) has an example.
#[derive(Clone, Debug)]
pub struct Stopped {
    why: Why,
    is_grpc: bool,
}

#[derive(Clone, Debug)]
enum Why {
    Cancelled {
        error: CancellationError,
        is_deadline: bool,
    },
    Refused(TimeoutHeaderError),
}

impl Stopped {
    pub(super) fn cancelled(error: CancellationError, shutdown: &Token, is_grpc: bool) -> Self {
        let is_deadline = grpc::is_deadline(&error, shutdown);
        Stopped {
            why: Why::Cancelled { error, is_deadline },
            is_grpc,
        }
    }

    pub(super) fn refused(error: TimeoutHeaderError, is_grpc: bool) -> Self {
        Stopped {
            why: Why::Refused(error),
            is_grpc,
        }
    }

    /// Returns the error of the request's token, or `None` if a header is malformed.
    pub fn cancellation(&self) -> Option<&CancellationError> {
        match &self.why {
            Why::Cancelled { error, .. } => Some(error),
            Why::Refused(_) => None,
        }
    }

    /// Returns the error of the malformed header, or `None` if the token was cancelled.
    pub fn refused_header(&self) -> Option<&TimeoutHeaderError> {
        match &self.why {
            Why::Cancelled { .. } => None,
            Why::Refused(error) => Some(error),
        }
    }

    /// Returns whether the request's own deadline has passed: that of the layer or that of a header. A deadline of the
    /// server's token is a shutdown.
    pub fn is_deadline(&self) -> bool {
        matches!(
            self.why,
            Why::Cancelled {
                is_deadline: true,
                ..
            }
        )
    }

    /// Returns whether this is a request of gRPC, by its content type.
    pub fn is_grpc(&self) -> bool {
        self.is_grpc
    }

    /// Returns 504 for the request's deadline, 503 for any other cause, and 400 for a malformed header.
    pub fn status(&self) -> StatusCode {
        match &self.why {
            Why::Refused(_) => StatusCode::BAD_REQUEST,
            Why::Cancelled { .. } if self.is_deadline() => StatusCode::GATEWAY_TIMEOUT,
            Why::Cancelled { .. } => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// Returns a response with this [status](Stopped::status) and an empty body.
    ///
    /// The response to a request of gRPC has the HTTP status 200 and the message. Its gRPC status is
    /// `DEADLINE_EXCEEDED`, `UNAVAILABLE` or, for a malformed header, `INTERNAL`.
    pub fn response<B: Default>(&self) -> Response<B> {
        let mut response = Response::new(B::default());
        if !self.is_grpc {
            *response.status_mut() = self.status();
            return response;
        }
        let code = match &self.why {
            Why::Refused(_) => Code::Internal,
            Why::Cancelled { .. } if self.is_deadline() => Code::DeadlineExceeded,
            Why::Cancelled { .. } => Code::Unavailable,
        };
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, grpc::CONTENT);
        grpc::set_status(headers, code, &self.to_string());
        response
    }

    /// Returns the [`response`](Stopped::response) with the message as a line of text. The response of gRPC stays as it
    /// is, since it already has the message.
    pub fn text_response<B: Default + From<String>>(&self) -> Response<B> {
        let mut response = self.response();
        if !self.is_grpc {
            *response.body_mut() = B::from(format!("{self}\n"));
            let text = HeaderValue::from_static("text/plain; charset=utf-8");
            response.headers_mut().insert(CONTENT_TYPE, text);
        }
        response
    }
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.why {
            Why::Cancelled { error, .. } => error.fmt(f),
            Why::Refused(error) => error.fmt(f),
        }
    }
}
