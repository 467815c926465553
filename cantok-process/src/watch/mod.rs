//! Tokens that are cancelled when something outside the process ends.

#[macro_use]
mod handle;
mod parent;
mod stdin;
mod thread;

pub use parent::ParentToken;
pub use stdin::StdinToken;
