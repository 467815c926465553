//! For authors of adapters: what connects tokens to another library. Programs rarely need it.
//!
//! [`TokenAdapterExt`] adds methods to every token: they register wakers, attach guards, make weak references, cancel
//! in two steps, and check once for many items. [`CheckedPoll`] polls operations under a token. [`carry`] takes the
//! [current token](crate::Token::current) to another thread. [`stopped_early()`] makes the event of a job that a token
//! ended. All of cantok's own adapters use these and [`Token::on_cancel`](crate::Token::on_cancel).

mod allowance;
mod cancelling;
mod checked_poll;
mod ext;
mod stopped_early;
mod waker_registration;
mod weak;

pub use crate::current::{Current, Entered, carry};
pub use allowance::Allowance;
pub use cancelling::Cancelling;
pub use checked_poll::CheckedPoll;
pub use ext::TokenAdapterExt;
pub use stopped_early::stopped_early;
pub use waker_registration::WakerRegistration;
pub use weak::WeakToken;
