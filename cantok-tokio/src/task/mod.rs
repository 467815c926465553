//! Work that is stopped when nobody waits for it any more.

mod cancel_on_drop;
#[cfg(feature = "rayon")]
mod rayon;
mod spawn;
mod spawned;

#[cfg(feature = "rayon")]
pub use rayon::{SpawnedRayon, ThreadPoolTokenExt, spawn_rayon_with_token};
pub use spawn::{spawn_blocking_with_token, spawn_local_with_token, spawn_with_token};
pub use spawned::Spawned;
