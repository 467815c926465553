//! What the tests of this crate share.

#![allow(dead_code, reason = "each binary uses a part of it")]

pub(crate) mod bell;
pub(crate) mod program;
#[cfg(target_os = "linux")]
pub(crate) mod pseudo_terminal;
pub(crate) mod untouched;
