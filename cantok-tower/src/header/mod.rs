//! Headers that say how much time a request has.

mod error;
mod format;
mod timeout_header;

pub use error::TimeoutHeaderError;
pub use timeout_header::TimeoutHeader;
