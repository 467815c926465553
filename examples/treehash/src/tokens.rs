//! What the rest of the program uses of the cantok crates. Without the feature `tokens` it is `no_tokens.rs` instead.

pub(crate) use crate::stops::Stops;
pub(crate) use cantok_channel::prelude::*;
pub(crate) use cantok_core::prelude::*;
pub(crate) use cantok_core::{CancellationError, SimpleToken, TimeoutToken, Token};
pub(crate) use cantok_rayon::prelude::*;
