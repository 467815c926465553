//! What the tests of several crates share. What the tests of one crate share is in its `tests/support`.

pub mod background;
pub mod conditions;
mod counted;
pub mod events;
pub mod memory;
pub mod panics;
pub mod polls;
pub mod processor_time;
pub mod refused;
pub mod shapes;
mod traits;
mod watchdog;

pub use counted::Counted;
pub use traits::Cell;
pub use watchdog::watchdog;
