#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod call;
mod cancel_channel;
mod cancelled;
#[cfg_attr(cantok_loom, path = "loom/crossbeam.rs")]
mod crossbeam;
mod err;
mod iter;
#[cfg(all(cantok_loom, test))]
#[path = "loom/models.rs"]
mod models;
#[cfg(doctest)]
mod must_not_compile;
pub mod prelude;
mod receiver_ext;
mod sender_ext;
mod with_token;

pub use cancelled::{Cancelled, cancelled};
pub use err::{
    RecvTimeoutTokenError, RecvTokenError, SendTimeoutTokenError, SendTokenError,
    TryRecvTokenError, TrySendTokenError,
};
pub use iter::{IntoIter, Iter, TryIter, TryWithToken};
pub use receiver_ext::ReceiverTokenExt;
pub use sender_ext::SenderTokenExt;
pub use with_token::WithToken;
