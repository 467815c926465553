//! The extension traits, for `use cantok_channel::prelude::*`.

pub use crate::{ReceiverTokenExt as _, SenderTokenExt as _};
