//! The extension traits, for `use cantok_futures::prelude::*`.
//!
//! `SinkTokenExt` and `AsyncWriteTokenExt` are not included. Their method has the same name as that of
//! [`StreamTokenExt`](crate::StreamTokenExt) and `AsyncReadTokenExt`, and many types implement both traits. Import
//! these two by name where you wrap a type that only writes.

#[cfg(feature = "io")]
pub use crate::AsyncReadTokenExt as _;
pub use crate::{FutureTokenExt as _, StreamTokenExt as _};
