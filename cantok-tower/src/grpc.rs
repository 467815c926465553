//! gRPC over HTTP: its content type and its status.

use crate::header::are_absent;
use cantok_core::{CancellationError, Cause, Token};
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use std::fmt::Write;

pub(crate) const CONTENT: HeaderValue = HeaderValue::from_static("application/grpc");

const STATUS: HeaderName = HeaderName::from_static("grpc-status");
const MESSAGE: HeaderName = HeaderName::from_static("grpc-message");

/// The status codes that this crate uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    DeadlineExceeded = 4,
    Internal = 13,
    Unavailable = 14,
}

/// Returns whether a deadline of the request has ended it, and not a deadline of the server's token.
pub(crate) fn is_deadline(error: &CancellationError, shutdown: &Token) -> bool {
    matches!(error.cause(), Cause::Timeout { .. })
        && shutdown.cancellation().as_ref() != Some(error)
}

/// Returns the status of a request that the token has ended.
pub(crate) fn code(error: &CancellationError, shutdown: &Token) -> Code {
    match is_deadline(error, shutdown) {
        true => Code::DeadlineExceeded,
        false => Code::Unavailable,
    }
}

/// Returns whether this is a message of gRPC, and not of gRPC-Web, which has its trailers elsewhere.
pub(crate) fn is_grpc(headers: &HeaderMap) -> bool {
    if are_absent(headers, |name| *name == CONTENT_TYPE) {
        return false;
    }
    let content = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    let rest = content.and_then(|content| content.strip_prefix(CONTENT.as_bytes()));
    rest.is_some_and(|rest| matches!(rest.first(), None | Some(b'+' | b';')))
}

/// Sets the status and the message, in headers or trailers.
pub(crate) fn set_status(headers: &mut HeaderMap, code: Code, message: &str) {
    headers.insert(STATUS, HeaderValue::from(code as u16));
    let message = HeaderValue::try_from(percent_encoded(message));
    headers.insert(MESSAGE, message.expect("only visible ASCII and spaces"));
}

/// Encodes a message as the specification of gRPC over HTTP/2 requires.
fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' '..=b'~' if byte != b'%' => encoded.push(byte.into()),
            _ => write!(encoded, "%{byte:02X}").expect("a string has room"),
        }
    }
    encoded
}
