//! The extension traits, for `use cantok_futures::prelude::*`.
//!
//! `SinkTokenExt` and `AsyncWriteTokenExt` are not among them: their method has the same name as that of
//! [`StreamTokenExt`](crate::StreamTokenExt) and `AsyncReadTokenExt`, and many types are both. Import these two by name
//! where you wrap what only writes.

#[cfg(feature = "io")]
pub use crate::AsyncReadTokenExt as _;
pub use crate::{FutureTokenExt as _, StreamTokenExt as _};
