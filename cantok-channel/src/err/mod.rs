//! One error type for each operation, as in crossbeam.

mod recv;
mod recv_timeout;
mod send;
mod send_timeout;
mod try_recv;
mod try_send;

pub use recv::RecvTokenError;
pub use recv_timeout::RecvTimeoutTokenError;
pub use send::SendTokenError;
pub use send_timeout::SendTimeoutTokenError;
pub use try_recv::TryRecvTokenError;
pub use try_send::TrySendTokenError;
