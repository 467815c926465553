//! Replaces the background threads in loom's models, where nothing runs by itself.

use std::io;
use std::time::Instant;

pub(crate) struct Due;

pub(crate) type Job = Box<dyn FnOnce() + Send>;

pub(crate) fn start() -> io::Result<()> {
    Ok(())
}

pub(crate) fn start_here() -> io::Result<()> {
    Ok(())
}

pub(crate) fn wake(_job: Job) {}

pub(crate) fn run(_jobs: Vec<Job>) {}

pub(crate) fn free(_memory: Box<dyn Send>) {}

pub(crate) fn schedule(_at: Instant, _job: impl FnOnce() + Send + 'static) -> Option<Due> {
    Some(Due)
}

pub(crate) fn unschedule(_due: Due) {}
