//! Stands in for the background thread in loom's models, which ask no conditions by themselves: nothing is run.

use std::io;
use std::time::Instant;

pub(crate) type Due = (Instant, u64);

pub(crate) fn start() -> io::Result<()> {
    Ok(())
}

pub(crate) fn submit(_job: impl FnOnce() + Send + 'static) {}

pub(crate) fn schedule(at: Instant, _job: impl FnOnce(Due) + Send + 'static) -> Due {
    (at, 0)
}

pub(crate) fn unschedule(_due: Due) {}
