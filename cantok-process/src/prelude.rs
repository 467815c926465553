//! The extension traits, for `use cantok_process::prelude::*`.

pub use crate::CommandTokenExt as _;
#[cfg(feature = "tokio")]
pub use crate::tokio::CommandTokenExt as _;
