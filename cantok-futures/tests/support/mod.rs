//! What the tests of this crate share.

#![allow(dead_code, reason = "each binary uses a part of it")]

pub(crate) mod inside;
pub(crate) mod orders;
pub(crate) mod waiting;
