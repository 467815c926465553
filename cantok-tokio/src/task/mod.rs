//! Tasks that stop when their future is dropped, and tasks that end together.

mod cancel_on_drop;
mod group;
#[cfg(feature = "rayon")]
mod rayon;
mod spawn;
mod spawned;
mod with_current;

pub use group::{GroupError, TaskGroup};
#[cfg(feature = "rayon")]
pub use rayon::{SpawnedRayon, ThreadPoolTokenExt, spawn_rayon_with_token};
pub use spawn::{spawn_blocking_with_token, spawn_local_with_token, spawn_with_token};
pub use spawned::Spawned;
