//! Headers with the timeout of a request.

mod error;
mod format;
mod timeout_header;

pub use error::TimeoutHeaderError;
pub use timeout_header::TimeoutHeader;
