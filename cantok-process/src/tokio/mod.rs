//! The same for the `Command` of tokio.
//!
//! What differs: the methods that wait are `async`, and dropping a future, or a [`Child`], kills the child at once,
//! since a drop cannot wait. Cancel the token instead for the polite signal. A child that was killed by a drop is reaped by
//! tokio, some time later.

mod child;
mod command_ext;
mod output;

pub use child::Child;
pub use command_ext::CommandTokenExt;
