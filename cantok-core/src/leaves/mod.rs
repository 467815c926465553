//! What checks call and spend, and deadlines that move: one file for each kind.

mod condition;
mod counter;
mod idle;
mod moving;

pub(crate) use condition::{Calls, Watch};
pub(crate) use counter::Counter;
pub(crate) use idle::Idle;
pub(crate) use moving::MovingDeadline;
