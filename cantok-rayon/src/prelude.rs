//! The extension trait, for `use cantok_rayon::prelude::*` beside `use rayon::prelude::*`.

pub use crate::ParallelIteratorTokenExt as _;
