//! The extension traits, for `use cantok_tokio::prelude::*`.

#[cfg(not(loom))]
pub use crate::CancellationTokenExt as _;
#[cfg(all(not(loom), feature = "rayon"))]
pub use crate::ThreadPoolTokenExt as _;
pub use crate::{FutureTokenExt as _, StreamTokenExt as _, TokenExt as _};
