use super::TimeoutHeaderError;
use super::error::Fault;
use super::format::Format;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use std::time::Duration;

/// A header with the timeout of a request: its name, and how it spells durations.
///
/// # Examples
///
/// ```
/// use cantok_tower::TimeoutHeader;
/// use http::{HeaderMap, HeaderName};
/// use std::time::Duration;
///
/// let mut headers = HeaderMap::new();
/// TimeoutHeader::grpc().write(&mut headers, Duration::from_millis(200));
/// assert_eq!(headers["grpc-timeout"], "200000u");
///
/// let connect = TimeoutHeader::milliseconds(HeaderName::from_static("connect-timeout-ms"));
/// assert_eq!(connect.read(&headers), Ok(None));
/// headers.insert(connect.name(), "1500".parse().unwrap());
/// assert_eq!(connect.read(&headers), Ok(Some(Duration::from_millis(1500))));
///
/// headers.insert(connect.name(), "-1".parse().unwrap());
/// let error = connect.read(&headers).unwrap_err();
/// assert_eq!(error.to_string(), "connect-timeout-ms is not a whole number of milliseconds");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeoutHeader {
    name: HeaderName,
    format: Format,
}

impl TimeoutHeader {
    /// `grpc-timeout`: up to 8 digits and a unit (`H`, `M`, `S`, `m`, `u` or `n`), as in gRPC over HTTP/2.
    pub fn grpc() -> Self {
        TimeoutHeader {
            name: HeaderName::from_static("grpc-timeout"),
            format: Format::Grpc,
        }
    }

    /// A header with a decimal number of seconds, such as `5` or `0.25`.
    pub fn seconds(name: HeaderName) -> Self {
        TimeoutHeader {
            name,
            format: Format::Seconds,
        }
    }

    /// A header with a whole number of milliseconds.
    pub fn milliseconds(name: HeaderName) -> Self {
        TimeoutHeader {
            name,
            format: Format::Milliseconds,
        }
    }

    /// `x-request-timeout`, in seconds.
    pub(crate) fn request_timeout() -> Self {
        TimeoutHeader::seconds(HeaderName::from_static("x-request-timeout"))
    }

    /// Returns the name of the header.
    pub fn name(&self) -> &HeaderName {
        &self.name
    }

    /// Returns the timeout in these headers, if there is one. A number that is too large to be represented lasts for
    /// ever.
    ///
    /// # Errors
    ///
    /// If the header has more than one value, or a malformed one.
    pub fn read(&self, headers: &HeaderMap) -> Result<Option<Duration>, TimeoutHeaderError> {
        let mut values = headers.get_all(&self.name).iter();
        let Some(value) = values.next() else {
            return Ok(None);
        };
        let fault = match self.format.parse(value.as_bytes()) {
            _ if values.next().is_some() => Fault::Repeated,
            None => Fault::Malformed(self.format),
            timeout => return Ok(timeout),
        };
        Err(TimeoutHeaderError::new(&self.name, fault))
    }

    /// Sets the header, and replaces its previous value. Rounds down. For gRPC the result is at least a nanosecond.
    pub fn write(&self, headers: &mut HeaderMap, timeout: Duration) {
        let value = HeaderValue::try_from(self.format.write(timeout));
        headers.insert(&self.name, value.expect("digits, a point and a unit"));
    }
}
