//! Headers with the timeout of a request.

mod absent;
mod error;
mod format;
mod timeout_header;

pub(crate) use absent::are_absent;
pub use error::TimeoutHeaderError;
pub use timeout_header::TimeoutHeader;
