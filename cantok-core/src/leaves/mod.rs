//! What checks ask and spend: one file for each kind.

mod condition;
mod counter;

pub(crate) use condition::{Answer, Condition, Watch};
pub(crate) use counter::Counter;
