//! Everything that the other files use of the cantok crates. Without the feature `tokens`, `no_tokens.rs` replaces it.

pub(crate) use crate::stops::Stops;
pub(crate) use cantok_channel::prelude::*;
pub(crate) use cantok_core::prelude::*;
pub(crate) use cantok_core::{CancellationError, SimpleToken, TimeoutToken, Token};
pub(crate) use cantok_rayon::prelude::*;
