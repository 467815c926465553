//! The extension traits, for `use cantok_tokio::prelude::*`.

pub use crate::CancellationTokenExt as _;
#[cfg(feature = "rayon")]
pub use crate::ThreadPoolTokenExt as _;
pub use crate::{FutureTokenExt as _, StreamTokenExt as _, TokenExt as _};
