//! Stands in for the timer in loom models: loom has no clock, so no alarm rings by itself. A model rings it.

use crate::node::Jobs;
use crate::sync::{Arc, Weak};
use std::io;
use std::time::Instant;

pub(crate) type Alarm = Instant;

pub(crate) trait Ring: Send + Sync {
    fn ring(self: Arc<Self>, now: Instant, jobs: &mut Jobs);
}

pub(crate) fn start() -> io::Result<()> {
    Ok(())
}

pub(crate) fn schedule(_ring: Weak<dyn Ring>, at: Instant) -> io::Result<Alarm> {
    Ok(at)
}

pub(crate) fn remove(_alarm: Alarm) {}
