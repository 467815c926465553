//! The extension traits, for `use cantok_tokio::prelude::*`.
//!
//! `SinkTokenExt` and [`AsyncWriteTokenExt`](crate::AsyncWriteTokenExt) are not included. Their method has the same
//! name as that of [`StreamTokenExt`](crate::StreamTokenExt) and [`AsyncReadTokenExt`](crate::AsyncReadTokenExt), and
//! many types implement both traits. Import these two by name where you wrap a type that only writes.

#[cfg(feature = "rayon")]
pub use crate::ThreadPoolTokenExt as _;
pub use crate::{AsyncReadTokenExt as _, FutureTokenExt as _, StreamTokenExt as _};
#[cfg(feature = "tokio-util")]
pub use crate::{CancellationTokenExt as _, TokenExt as _};
