//! The same methods for the `Command` of tokio.
//!
//! The methods that wait are `async`. Dropping a future, or a [`Child`], kills the child at once, since a drop cannot
//! wait. For the polite signal, cancel the token instead. tokio reaps a child that a drop has killed, some time later.

mod child;
mod command_ext;
mod output;
mod reap;

pub use child::Child;
pub use command_ext::CommandTokenExt;
