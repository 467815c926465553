//! The extension trait, for `use cantok_core::prelude::*`.

pub use crate::IteratorTokenExt as _;
