//! What the tests of this crate share.

#![allow(dead_code, reason = "each binary uses a part of it")]

pub(crate) mod arming;
pub(crate) mod count;
pub(crate) mod small_stack;
