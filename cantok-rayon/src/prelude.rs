//! The extension traits, for `use cantok_rayon::prelude::*`, next to `use rayon::prelude::*`.

pub use crate::ParallelIteratorTokenExt as _;
pub use crate::UnindexedTokenExt as _;
