//! What typed tokens watch: one file per class, shared between a typed token and everything derived from it.

mod condition;
mod counter;
mod deadline;

pub(crate) use condition::{Answer, Condition, Watch};
pub(crate) use counter::{Counter, Spent};
pub(crate) use deadline::Deadline;
