//! The extension traits, for `use cantok_process::prelude::*`.

pub use crate::CommandTokenExt as _;
