//! Children on each system: how to signal them, wait for them and read them.

#[cfg(unix)]
mod death;
#[cfg_attr(unix, path = "unix.rs")]
#[cfg_attr(windows, path = "windows.rs")]
mod ending;
#[cfg(unix)]
mod group;
#[cfg(windows)]
mod job_object;
#[cfg(unix)]
mod notice;
#[cfg_attr(unix, path = "output_unix.rs")]
#[cfg_attr(windows, path = "output_windows.rs")]
mod output;

#[cfg(unix)]
pub(crate) use death::open_process;
pub(crate) use ending::{Ending, Process, unshare};
#[cfg(unix)]
pub(crate) use notice::Notice;
#[cfg(all(windows, feature = "tokio"))]
pub(crate) use output::LAST;
#[cfg(all(unix, feature = "tokio"))]
pub(crate) use output::drain;
pub(crate) use output::read_output;
