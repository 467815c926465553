use super::format::Format;
use http::HeaderName;
use std::error::Error;
use std::fmt;

/// The error of [`TimeoutHeader::read`](crate::TimeoutHeader::read) for a header whose value is not a timeout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeoutHeaderError {
    header: HeaderName,
    fault: Fault,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Repeated,
    Malformed(Format),
}

impl TimeoutHeaderError {
    pub(super) fn new(header: &HeaderName, fault: Fault) -> Self {
        TimeoutHeaderError {
            header: header.clone(),
            fault,
        }
    }

    /// Returns the name of the header.
    pub fn header(&self) -> &HeaderName {
        &self.header
    }
}

impl fmt::Display for TimeoutHeaderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fault = match self.fault {
            Fault::Repeated => "has more than one value",
            Fault::Malformed(Format::Grpc) => {
                "is not up to 8 digits and one of H, M, S, m, u and n"
            }
            Fault::Malformed(Format::Seconds) => "is not a decimal number of seconds",
            Fault::Malformed(Format::Milliseconds) => "is not a whole number of milliseconds",
        };
        write!(f, "{} {fault}", self.header)
    }
}

impl Error for TimeoutHeaderError {}
