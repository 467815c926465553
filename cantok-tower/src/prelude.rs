//! The extension trait, for `use cantok_tower::prelude::*`.

pub use crate::RequestTokenExt as _;
