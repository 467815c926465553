//! The extension traits of all crates whose features are on, for `use cantok::prelude::*`.

#[cfg(feature = "channel")]
pub use cantok_channel::prelude::*;
pub use cantok_core::prelude::*;
#[cfg(feature = "futures")]
pub use cantok_futures::prelude::*;
#[cfg(feature = "process")]
pub use cantok_process::prelude::*;
#[cfg(feature = "rayon")]
pub use cantok_rayon::prelude::*;
#[cfg(feature = "tokio")]
pub use cantok_tokio::prelude::*;
#[cfg(feature = "tower")]
pub use cantok_tower::prelude::*;
