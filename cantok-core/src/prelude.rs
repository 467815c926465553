//! The extension traits, for `use cantok_core::prelude::*`.

pub use crate::{IteratorTokenExt as _, ReadTokenExt as _};
