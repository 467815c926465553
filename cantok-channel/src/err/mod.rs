//! One error for each operation, after crossbeam's.

mod recv;
mod recv_timeout;
mod send;
mod send_timeout;
mod try_recv;
mod try_send;

use cantok_core::{CancellationError, Cause};
use std::error::Error;

pub use recv::RecvTokenError;
pub use recv_timeout::RecvTimeoutTokenError;
pub use send::SendTokenError;
pub use send_timeout::SendTimeoutTokenError;
pub use try_recv::TryRecvTokenError;
pub use try_send::TrySendTokenError;

/// The source of an error whose message is that of `cancellation`: the reason, so that it is found by its type, as a
/// signal is.
fn reason_of(cancellation: &CancellationError) -> Option<&(dyn Error + 'static)> {
    match cancellation.cause() {
        Cause::Reason(reason) => Some(reason.as_error()),
        _ => None,
    }
}
