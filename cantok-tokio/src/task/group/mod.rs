//! Tasks that end together.

mod error;
mod member;
mod task_group;

pub use error::GroupError;
pub use task_group::TaskGroup;
