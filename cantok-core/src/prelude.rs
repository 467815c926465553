//! The extension traits, for `use cantok_core::prelude::*`.

pub use crate::{CondvarTokenExt as _, IteratorTokenExt as _, ReadTokenExt as _};
