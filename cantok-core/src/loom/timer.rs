//! Stands in for the timer in loom models: loom has no clock, so no alarm can be set, and tokens work as they do when
//! the operating system refuses a thread.

use crate::sync::{Arc, Weak};
use std::io;
use std::time::Instant;

pub(crate) type Alarm = Instant;

pub(crate) trait Ring: Send + Sync {
    fn ring(self: Arc<Self>, now: Instant);
}

pub(crate) fn start() -> io::Result<()> {
    Ok(())
}

pub(crate) fn schedule(_ring: Weak<dyn Ring>, _at: Instant) -> io::Result<Alarm> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(crate) fn remove(_alarm: &Alarm) {}
